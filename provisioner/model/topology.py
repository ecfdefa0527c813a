"""What a cluster is, without any cloud."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen

from provisioner.model.value import Value

Role = Literal["controlplane", "worker"]

PUBLIC_FACTORY = "https://factory.talos.dev"
"""The Image Factory that everybody may use."""

STOCK_SCHEMATIC = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"
"""The id of the schematic that customises nothing."""


@frozen
class Node:
    """One wanted machine of the cluster; the name is its identity and outlives the machine."""

    name: str
    role: Role
    pool: str
    provider: str
    size: str = ""
    zone: str = ""
    claim: str = ""
    """What it was given of its provider's stock, such as a host of an inventory; empty where there is no stock."""
    options: Mapping[str, Value] = field(factory=dict)
    """What the pool says to its provider beyond the common fields."""
    patches: tuple[tuple[Mapping[str, Value], ...], ...] = ()
    """Patches in the order they apply (all, role, pool, node), each a tuple of documents."""
    settings: Mapping[str, Value] = field(factory=dict)
    """What the file says about the machine whatever its release is; its configuration is patched with it first."""


@frozen
class EndpointWish:
    """Where the Kubernetes API shall be reached: `auto` is the provider's balancer, else a host or URL."""

    text: str = "auto"


@frozen
class TalosWish:
    """The versions wanted, and the image they boot from.

    contract     the config shape fixed at the cluster's birth, as `1.13`
    schematic    the id of the Image Factory's recipe for images and installers: 64 hexadecimal digits
    factory      the URL of the Image Factory, or of what mirrors it, without a slash at the end
    registry     where installers come from, as in `factory.talos.dev`; empty for the factory's own host
    recipe       the schematic as the factory takes it; empty where only its id is known
    secure_boot  whether machines boot images that are signed for UEFI SecureBoot
    """

    version: str
    contract: str
    kubernetes: str
    schematic: str = STOCK_SCHEMATIC
    factory: str = PUBLIC_FACTORY
    registry: str = ""
    recipe: str = '{"customization": {}}'
    secure_boot: bool = False

    @property
    def stock(self) -> bool:
        """Whether nothing is customised, so that what is officially published will do."""
        return self.schematic == STOCK_SCHEMATIC and not self.secure_boot


@frozen
class Topology:
    """A cluster: its nodes in name order, its endpoint, its versions."""

    cluster: str
    nodes: tuple[Node, ...]
    endpoint: EndpointWish
    talos: TalosWish
    kubernetes: Mapping[str, Value] = field(factory=dict)
    """What the file says about Kubernetes whatever the release of Talos is."""

    @property
    def control_planes(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.role == "controlplane")

    @property
    def workers(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.role == "worker")
