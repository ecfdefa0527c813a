"""What a provider and Talos promise each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from attrs import frozen

from provisioner.model.address import Address
from provisioner.model.resource import Resource
from provisioner.model.rollout import Rollout
from provisioner.model.topology import Node, Topology
from provisioner.model.value import Ref, Value

Delivery = Literal["user_data", "api", "provider"]
"""How a machine gets its configuration: with its birth, through the maintenance API, or in a way of its provider's.

What a provider brings itself, it brings to a machine that it knows. So Talos never hands such a configuration to who
answers in maintenance at the machine's address: that may be anybody.
"""


class BootRefs(Protocol):
    """What Talos offers to machines that are about to be designed."""

    @property
    def version(self) -> str:
        """The Talos release to boot, such as `v1.13.9`."""
        ...

    @property
    def schematic(self) -> str:
        """The id of the Image Factory schematic with the file's wishes: 64 hexadecimal digits."""
        ...

    @property
    def stock(self) -> bool:
        """Whether nothing is customised, so that images which are officially published will do."""
        ...

    @property
    def authority(self) -> Value:
        """By whose certificate a node of this cluster is known: base64 of PEM text, once it is made."""
        ...

    @property
    def authority_key(self) -> Value:
        """The key that goes with `authority`, a secret in the same form: nodes answer those whom it vouches for."""
        ...

    def artifact(self, platform: str, arch: str, form: str = "") -> str:
        """The URL of a boot artifact at the configured factory.

        platform  as Talos names it, such as `aws`, `metal` or `nocloud`
        arch      `amd64` or `arm64`
        form      of a disk image, such as `raw.xz` or `qcow2`; also `iso`, `uki`, `kernel`, `initramfs` and
                  `cmdline`. Empty for the disk image in the form that is usual on the platform

        Raises ProvError for a platform or form that nobody makes.
        """
        ...

    def config(self, node: Node, machine: Machine) -> Value:
        """The configuration of a node on its machine, as user-data: text once it is known."""
        ...


@frozen
class Slice:
    """The part of a cluster that one provider instance makes: `nodes`, of all those in `topology`.

    `settings` is the provider block of the file.
    """

    instance: str
    settings: Mapping[str, Value]
    topology: Topology
    nodes: tuple[Node, ...]


@frozen
class Machine:
    """A node's machine as its provider will make it."""

    address: Address
    host: Ref
    """The address at which the Talos API answers; without a port."""
    id: Ref
    """The remote identity; another one means another machine."""
    delivery: Delivery
    install_disk: str | None = None
    """The disk Talos installs itself to; None where the image boots in place."""
    platform: str = "metal"
    """What Talos calls the place, such as `aws`; decides which installer puts it on a disk."""
    disks: tuple[str, ...] = ()
    """The disks it is known to have, such as `/dev/vda`; empty where its provider does not know them."""
    wipe: tuple[str, ...] = ()
    """The disks that are erased when the node leaves for good; its provider takes no machine away meanwhile."""
    names: tuple[Value, ...] = ()
    """What its certificates have to be good for besides the addresses it knows of, such as one that is translated."""


@frozen
class Endpoint:
    """What a provider makes so that the Kubernetes API has one address; it exists before the machines.

    `host` is for the nodes; `outside` is for this computer, where the same API has another address here.
    """

    resources: tuple[Resource, ...]
    host: Value
    outside: Value | None = None


@frozen
class Design:
    """One provider instance's part of a cluster."""

    resources: tuple[Resource, ...]
    machines: Mapping[str, Machine]
    """By node name, one for each node of the slice."""
    rollouts: tuple[Rollout, ...] = ()
