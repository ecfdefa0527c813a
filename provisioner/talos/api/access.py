"""What the kinds can see of a cluster, with the few things they can ask it to do.

Everything here is plain data and one protocol, so that kinds and health checks neither load gRPC nor know it.
`provisioner.talos.api.cluster` is the access to real machines; tests hand in their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeAlias

from attrs import field, frozen


@frozen
class Service:
    """A service of a machine, such as `etcd`. `state` is Talos's word, such as `Running`."""

    state: str
    healthy: bool

    @property
    def up(self) -> bool:
        return self.state == "Running" and self.healthy


@frozen
class Member:
    """An etcd member as the cluster's list has it; a learner has no vote yet."""

    id: int
    hostname: str
    peer_urls: tuple[str, ...] = ()
    learner: bool = False

    def is_of(self, node: str, host: str) -> bool:
        """Whether this is the node's member: by its name, or by the address of a peer URL."""
        return self.hostname == node or host in self.hosts

    @property
    def hosts(self) -> tuple[str, ...]:
        """Where its machine is, by its peer URLs."""
        return tuple(dict.fromkeys(_host_of(url) for url in self.peer_urls))


@frozen
class Maintenance:
    """The machine answers without a certificate of any cluster; `stage` tells what it is doing."""

    stage: str


@frozen
class Configured:
    """The machine answered with a certificate of our cluster.

    What was not asked for, see `Access.look`, is as if the machine told nothing.

    stage       `installing`, `booting`, `running`, `rebooting`, `resetting`, …
    ready       the machine's own verdict; `unmet` says what it is missing, one sentence each
    boot_id     changes with every boot
    active      the configuration it runs with, as text
    persistent  the configuration on its disk, as text; None where it tells of none
    services    by id
    members     etcd's member list as this machine's member has it; None where it runs none
    version     the Talos release, such as `v1.13.9`
    """

    stage: str
    ready: bool
    unmet: tuple[str, ...] = ()
    boot_id: str = ""
    active: str = ""
    persistent: str | None = None
    services: Mapping[str, Service] = field(factory=dict)
    members: tuple[Member, ...] | None = None
    version: str = ""

    def runs(self, service: str) -> bool:
        """Whether the service is running and healthy."""
        found = self.services.get(service)
        return found is not None and found.up

    @property
    def has_etcd(self) -> bool:
        """Whether etcd runs here, or answers with members: then there is data that a bootstrap made."""
        etcd = self.services.get("etcd")
        return bool(self.members) or (etcd is not None and etcd.state == "Running")


@frozen
class Foreign:
    """Somebody answers who does not belong to our cluster; `reason` says how that shows."""

    reason: str


@frozen
class Silent:
    """No usable answer, so nothing is known."""

    reason: str


Outlook: TypeAlias = Maintenance | Configured | Foreign | Silent


@frozen
class Applied:
    """The machine took a configuration; `reboots` says whether it restarts itself for it."""

    reboots: bool


@frozen
class KubernetesNode:
    """A Node object of the cluster. `version` is the kubelet's."""

    name: str
    ready: bool
    version: str = ""


@frozen
class Disk:
    """A disk as its machine tells of it.

    path        of its device, such as `/dev/sda`; `aliases` are further names, such as one below `/dev/disk/by-id`
    about       model, serial number and size, for people
    system      Talos is installed on it
    fixed       it cannot be written
    holds       what is on it: partitions, or a filesystem without any
    """

    path: str
    aliases: tuple[str, ...] = ()
    about: str = ""
    system: bool = False
    fixed: bool = False
    holds: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.path} ({self.about})" if self.about else self.path


@frozen
class Wipe:
    """What a reset erases besides configuration and data: the whole disk Talos is on, and others by path."""

    system: bool = False
    disks: tuple[str, ...] = ()


class Access(Protocol):
    """A cluster, reached. All methods may be called from many threads; errors are `ProviderError`s."""

    @property
    def name(self) -> str:
        """The cluster's name."""
        ...

    @property
    def nodes(self) -> Mapping[str, str]:
        """Host of every node whose host is known, by node name."""
        ...

    @property
    def control_planes(self) -> Mapping[str, str]:
        """The same for control planes only."""
        ...

    def look(self, hosts: Iterable[str], *, configs: bool = True, services: bool = True) -> Mapping[str, Outlook]:
        """What each host is at, all asked at once; never raises for a host that does not answer.

        Whoever does not need all of a `Configured` says so, since hundreds of machines are asked: without
        `configs` it comes with neither configurations nor boot id, without `services` with neither services,
        members nor version.
        """
        ...

    def apply(self, host: str, text: str, *, maintenance: bool) -> Applied:
        """Hands the machine a whole configuration, to run with and to keep."""
        ...

    def bootstrap(self, host: str) -> None:
        """Starts a new etcd on this control plane."""
        ...

    def reboot(self, host: str) -> None:
        """Begins an orderly reboot; the answer comes before it."""
        ...

    def reset(self, host: str, *, graceful: bool, reboot: bool, wipe: Wipe = Wipe()) -> None:
        """Wipes configuration and data, and what `wipe` says; gracefully means drained, and gone from etcd, first.

        The answer comes before the work is done. Without `reboot` the machine powers off at the end, and does so
        only if everything was erased.
        """
        ...

    def disks(self, host: str, *, maintenance: bool = False) -> tuple[Disk, ...]:
        """The disks of a machine, by path, those left out that hold a CD."""
        ...

    def remove_member(self, host: str, member_id: int) -> None:
        """Takes another machine's member out of etcd, through the control plane `host`."""
        ...

    def kubernetes_nodes(self) -> Mapping[str, KubernetesNode]:
        """The Node objects, by name."""
        ...

    def delete_kubernetes_node(self, name: str) -> None:
        """Removes a Node object; quiet when it is gone already."""
        ...


def _host_of(url: str) -> str:
    """`10.0.0.2` of `https://10.0.0.2:2380`; brackets of IPv6 addresses are dropped."""
    return url.partition("://")[2].partition("/")[0].rpartition(":")[0].strip("[]")
