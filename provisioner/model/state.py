"""What is on record."""

from __future__ import annotations

from collections.abc import Container, Mapping
from enum import StrEnum

from attrs import evolve, field, frozen

from provisioner.model.address import Address
from provisioner.model.value import Value

FORMAT = 1
"""Number of the state's format."""


class Status(StrEnum):
    """Where an entry stands. The first three are in flight: an interrupted run left them, the next settles them."""

    CREATING = "creating"
    UPDATING = "updating"
    DELETING = "deleting"
    READY = "ready"
    FAILED = "failed"


IN_FLIGHT = frozenset({Status.CREATING, Status.UPDATING, Status.DELETING})


@frozen
class Entry:
    """One object on record.

    key         minted with the intent, before the first call
    intended    resolved props of the call in flight
    applied     resolved props of the last call that finished
    depends_on  what it was made after; it is removed before them, also when the file no longer names it
    error       why it failed, for people
    serial      the state's serial when this entry was last written
    """

    address: Address
    generation: int
    provider: str
    key: str
    status: Status
    id: str | None = None
    phase: str = ""
    memo: Mapping[str, str] = field(factory=dict)
    intended: Mapping[str, Value] = field(factory=dict)
    applied: Mapping[str, Value] = field(factory=dict)
    outputs: Mapping[str, Value] = field(factory=dict)
    depends_on: tuple[Address, ...] = ()
    protect: bool = False
    how: str = ""
    error: str = ""
    serial: int = 0

    @property
    def in_flight(self) -> bool:
        return self.status in IN_FLIGHT

    @property
    def half_done(self) -> bool:
        return self.in_flight and (self.status is not Status.DELETING or bool(self.phase))


@frozen
class Put:
    """Write this entry."""

    entry: Entry


@frozen
class Drop:
    """The object is gone; forget its entry."""

    address: Address


@frozen
class Bind:
    """Fix a choice made at birth, such as a version or a zone."""

    name: str
    value: str


@frozen
class Publish:
    """Replace the cluster's outputs."""

    outputs: Mapping[str, Value]


Change = Put | Drop | Bind | Publish


@frozen
class State:
    """A snapshot. `lineage` names the state's whole life, `serial` counts its commits."""

    cluster: str
    lineage: str
    serial: int
    entries: Mapping[Address, Entry] = field(factory=dict)
    bindings: Mapping[str, str] = field(factory=dict)
    outputs: Mapping[str, Value] = field(factory=dict)

    def unfinished(self, wanted: Container[Address]) -> tuple[Entry, ...]:
        """What an interrupted run left half done and is still wanted: it is finished before all else.

        A removal counts once it has come anywhere; what it left of the thing shows only when it is over. Other
        removals are planned again, in the manner that fits by then.
        """
        return tuple(entry for entry in self.entries.values() if entry.half_done and entry.address in wanted)

    def after(self, changes: tuple[Change, ...], serial: int) -> State:
        """The snapshot as a commit of `changes` leaves it."""
        entries, bindings, outputs = dict(self.entries), dict(self.bindings), self.outputs
        for change in changes:
            match change:
                case Put(entry):
                    entries[entry.address] = evolve(entry, serial=serial)
                case Drop(address):
                    entries.pop(address, None)
                case Bind(name, value):
                    bindings[name] = value
                case Publish(values):
                    outputs = values
        return evolve(self, serial=serial, entries=entries, bindings=bindings, outputs=outputs)


@frozen
class LockInfo:
    """Who holds a state, since when, doing what."""

    who: str
    host: str
    pid: int
    since: str
    doing: str


@frozen
class Fence:
    """The right to write, granted with the lock; a later grant makes earlier ones worthless."""

    token: int
