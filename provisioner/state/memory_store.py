"""A state in memory, for tests and for previews that shall leave nothing behind."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from attrs import evolve

from provisioner.errors import StateLocked, StateMoved
from provisioner.model.state import Change, Entry, Fence, LockInfo, Note, Records, RunRecord, State
from provisioner.model.value import Sealed, Secret, Value
from provisioner.state.tables import KEPT_RUNS
from provisioner.state.ulid import new_ulid


class MemoryStore:
    """Keeps the promises of a store for as long as the process lives."""

    def __init__(self, cluster: str) -> None:
        self._records = Records(State(cluster, new_ulid(), 0))
        self._runs: dict[str, RunRecord] = {}
        self._token = 0
        self._holder: LockInfo | None = None
        self._held = False
        self._key = secrets.token_bytes(32)

    def derive(self, purpose: str) -> str:
        """Secret, and the same for a purpose for as long as this state lives."""
        return hmac.new(self._key, purpose.encode(), hashlib.sha256).hexdigest()

    def load(self, *, shut: bool = False) -> State:
        """The newest snapshot."""
        state = self._records.state()
        return _shut(state) if shut else state

    def commit(self, changes: Sequence[Change], fence: Fence) -> int:
        """All changes or none; the new serial."""
        taken = tuple(changes)
        if fence.token != self._token:
            raise StateMoved(
                "another run has taken over this state", remedy="look at the plan again with `prov plan`"
            )
        self._records.take(taken, self._records.serial + 1)
        for change in taken:
            if isinstance(change, Note):
                self._runs[change.run.id] = change.run
        for oldest in list(self._runs)[:-KEPT_RUNS]:
            del self._runs[oldest]
        return self._records.serial

    @contextmanager
    def lock(self, info: LockInfo) -> Iterator[Fence]:
        """The exclusive right to write, until the block ends."""
        if self._held:
            raise StateLocked("another run is at work on this state", detail=str(self._holder), remedy="wait for it")
        self._held, self._holder, self._token = True, info, self._token + 1
        try:
            yield Fence(self._token)
        finally:
            self._held, self._holder = False, None

    def lapse(self) -> None:
        """Lets go of the lock behind its holder's back, as the end of a lease does: the next grant makes it stale."""
        self._held = False

    def holder(self) -> LockInfo | None:
        """Who holds the lock."""
        return self._holder

    def runs(self) -> tuple[RunRecord, ...]:
        """The history, newest first."""
        return tuple(reversed(self._runs.values()))


def _shut(state: State) -> State:
    return evolve(
        state,
        entries={address: _shut_entry(entry) for address, entry in state.entries.items()},
        deposed={place: _shut_entry(entry) for place, entry in state.deposed.items()},
        outputs=_shut_all(state.outputs),
    )


def _shut_entry(entry: Entry) -> Entry:
    return evolve(
        entry,
        intended=_shut_all(entry.intended),
        applied=_shut_all(entry.applied),
        outputs=_shut_all(entry.outputs),
    )


def _shut_all(values: Mapping[str, Value]) -> dict[str, Value]:
    return {name: _shut_value(value) for name, value in values.items()}


def _shut_value(value: Value) -> Value:
    """The same tree with every secret out of reach."""
    match value:
        case Mapping():
            return _shut_all(value)
        case tuple():
            return tuple(_shut_value(item) for item in value)
        case Secret():
            return Sealed()
        case _:
            return value
