"""What is on record."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from enum import StrEnum

from attrs import evolve, field, frozen

from provisioner.model.address import Address
from provisioner.model.value import Value

FORMAT = 2
"""Number of the state's format."""


class Status(StrEnum):
    """Where an entry stands. All but the last two are in flight: what a run that was cut off leaves to the next."""

    CREATING = "creating"
    ADOPTING = "adopting"
    UPDATING = "updating"
    RUNNING = "running"
    DELETING = "deleting"
    READY = "ready"
    FAILED = "failed"


IN_FLIGHT = frozenset(Status) - {Status.READY, Status.FAILED}


@frozen
class Entry:
    """One object on record.

    key         minted with the intent, before the first call
    intended    resolved props of the call in flight
    applied     resolved props of the last call that finished
    depends_on  what it was made after; it is removed before them, also when the file no longer names it
    how         the manner of a removal in flight, or the action that runs
    owed        actions that were planned to follow and have not been done yet, in order
    deposed     whether a later generation has taken its place; it is removed once nothing uses it
    silent      since when it could not be read, as text; empty when it was read last time
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
    owed: tuple[str, ...] = ()
    deposed: bool = False
    silent: str = ""
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
    """Write this entry: its generation's, among the deposed ones if it says so, else the one its address has now."""

    entry: Entry


@frozen
class Drop:
    """The object of this generation is gone; forget its entry."""

    address: Address
    generation: int


@frozen
class Move:
    """Everything on record under `origin` is called `target` from now on, also where others name it."""

    origin: Address
    target: Address


@frozen
class Bind:
    """Fix a choice made at birth, such as a version or a zone."""

    name: str
    value: str


@frozen
class Publish:
    """Replace the cluster's outputs."""

    outputs: Mapping[str, Value]


@frozen
class RunRecord:
    """One run in the history of a state; `until` and `outcome` are empty while it goes on, or if it was cut off.

    Times are ISO 8601 texts. `outcome` is done, partly, failed or stopped, `summary` counts for people.
    """

    id: str
    doing: str
    who: str
    host: str
    since: str
    until: str = ""
    outcome: str = ""
    summary: str = ""


@frozen
class Note:
    """Write this run into the history."""

    run: RunRecord


Change = Put | Drop | Move | Bind | Publish | Note


@frozen
class State:
    """A snapshot. `lineage` names the state's whole life, `serial` counts its commits.

    `entries` has what each address stands for now, `deposed` the objects that a later generation has taken the
    place of, by address and generation.
    """

    cluster: str
    lineage: str
    serial: int
    entries: Mapping[Address, Entry] = field(factory=dict)
    deposed: Mapping[tuple[Address, int], Entry] = field(factory=dict)
    bindings: Mapping[str, str] = field(factory=dict)
    outputs: Mapping[str, Value] = field(factory=dict)

    def unfinished(self, wanted: Container[Address]) -> tuple[Entry, ...]:
        """What an interrupted run left half done and is still wanted: it is finished before all else.

        A removal counts once it has come anywhere; what it left of the thing shows only when it is over. Other
        removals are planned again, in the manner that fits by then.
        """
        return tuple(entry for entry in self.entries.values() if entry.half_done and entry.address in wanted)

    def after(self, changes: Iterable[Change], serial: int) -> State:
        """The snapshot as a commit of `changes` leaves it."""
        records = Records(self)
        records.take(changes, serial)
        return records.state()


class Records:
    """What is on record, kept up with commits as they happen: a change costs what it changes, not the whole."""

    def __init__(self, state: State) -> None:
        self.cluster, self.lineage, self.serial = state.cluster, state.lineage, state.serial
        self.entries = dict(state.entries)
        self.deposed = dict(state.deposed)
        self.bindings = dict(state.bindings)
        self.outputs = state.outputs

    def take(self, changes: Iterable[Change], serial: int) -> None:
        """Follows one commit."""
        self.serial = serial
        for change in changes:
            match change:
                case Put(entry):
                    self._put(evolve(entry, serial=serial))
                case Drop(address, generation):
                    self._drop(address, generation)
                case Move(origin, target):
                    self._move(origin, target, serial)
                case Bind(name, value):
                    self.bindings[name] = value
                case Publish(values):
                    self.outputs = values
                case Note():
                    pass  # the history is not part of a snapshot

    def state(self) -> State:
        """All of it as a snapshot."""
        return State(
            self.cluster,
            self.lineage,
            self.serial,
            dict(self.entries),
            dict(self.deposed),
            dict(self.bindings),
            self.outputs,
        )

    def find(self, address: Address, generation: int) -> Entry | None:
        """The entry of one generation."""
        entry = self.entries.get(address)
        if entry is not None and entry.generation == generation:
            return entry
        return self.deposed.get((address, generation))

    def _put(self, entry: Entry) -> None:
        self._drop(entry.address, entry.generation)
        if entry.deposed:
            self.deposed[entry.address, entry.generation] = entry
        else:
            self.entries[entry.address] = entry

    def _drop(self, address: Address, generation: int) -> None:
        self.deposed.pop((address, generation), None)
        known = self.entries.get(address)
        if known is not None and known.generation == generation:
            del self.entries[address]

    def _move(self, origin: Address, target: Address, serial: int) -> None:
        moved = [entry for entry in self._all() if entry.address == origin or origin in entry.depends_on]
        moved.sort(key=lambda entry: entry.address == origin)  # what `target` named before makes way
        for entry in moved:
            self._drop(entry.address, entry.generation)
        for entry in moved:
            address = target if entry.address == origin else entry.address
            depends_on = tuple(target if need == origin else need for need in entry.depends_on)
            self._put(evolve(entry, address=address, depends_on=depends_on, serial=serial))

    def _all(self) -> list[Entry]:
        return [*self.entries.values(), *self.deposed.values()]


@frozen
class LockInfo:
    """Who holds a state, since when, doing what."""

    who: str
    host: str
    pid: int
    since: str
    doing: str

    def __str__(self) -> str:
        return f"`prov {self.doing}` by {self.who} on {self.host} (process {self.pid}) since {self.since}"


@frozen
class Fence:
    """The right to write, granted with the lock; a later grant makes earlier ones worthless."""

    token: int
