"""What a simulated machine is made from, what its disk keeps, and what it needs of the world around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import TYPE_CHECKING, Protocol

from attrs import define, frozen

from prov_sim.changes import Changes
from prov_sim.faults import FaultBook
from prov_sim.machine.certificates import Issued
from prov_sim.machine.documents import MachineConfig
from prov_sim.machine.etcd import Domain, Etcd, Member

if TYPE_CHECKING:
    from prov_sim.machine.machine import Machine

MODES = {"nocloud": "cloud", "metal": "metal"}
"""Runtime mode by platform: a cloud image boots in place, on metal Talos installs itself first."""


@frozen
class Order:
    """A machine as it was asked for. `image` is a Talos release, `memory_mib` in MiB; `user_data` may be empty.

    `extra_disks` are those that Talos is not installed on; a node that runs fills them.
    """

    key: str
    lineage: str
    name: str
    group: str
    role: str
    cpus: int
    memory_mib: int
    zone: str
    image: str
    platform: str
    disk: str
    user_data: str
    time_scale: float
    seed: int
    extra_disks: tuple[str, ...] = ()

    @property
    def mode(self) -> str:
        return MODES[self.platform]


@frozen
class EtcdData:
    """The etcd data directory: which member of which cluster."""

    etcd: Etcd
    member: Member

    @property
    def removed(self) -> bool:
        return self.member.id not in self.etcd.members


@define
class Disk:
    """What outlives a reboot. `bootable` is false after the boot loader was wiped; `filled` are further disks."""

    installed: bool
    bootable: bool = True
    config: MachineConfig | None = None
    etcd: EtcdData | None = None
    filled: frozenset[str] = frozenset()


@frozen
class Erasure:
    """What a reset erases: partitions by label, the whole disk with its boot loader, further disks by path."""

    labels: frozenset[str] = frozenset()
    everything: bool = False
    disks: tuple[str, ...] = ()


class Peer(Protocol):
    """A machine as another one of its cluster sees it."""

    @property
    def id(self) -> str: ...

    @property
    def address(self) -> str: ...

    @property
    def hostname(self) -> str: ...

    @property
    def is_control_plane(self) -> bool: ...

    @property
    def operating_system(self) -> str:
        """Its name with its version."""
        ...


class Surroundings(Protocol):
    """The world as a machine sees it."""

    @property
    def changes(self) -> Changes: ...

    @property
    def random(self) -> Random: ...

    @property
    def faults(self) -> FaultBook: ...

    def runs(self, machine: Machine) -> None:
        """Hears that a machine runs with another configuration, or with none any more."""
        ...

    def count(self, method: str) -> None:
        """Counts a call of the machine API."""
        ...

    def erased(self, machine: Machine, disk: str) -> None:
        """Hears that a whole disk of a machine was erased."""
        ...

    def domain(self, config: MachineConfig) -> Domain:
        """The machines that `config` makes this one find."""
        ...

    def signs(self, config: MachineConfig, names: Sequence[str]) -> bool:
        """Whether a control plane would sign a worker's certificate for these names now."""
        ...

    def certificate(self, config: MachineConfig, names: Sequence[str]) -> Issued | None:
        """A worker's certificate for these names, signed by a control plane; None while none would."""
        ...

    def peers(self, config: MachineConfig) -> Iterable[Peer]:
        """The machines of the same domain that are up and configured."""
        ...
