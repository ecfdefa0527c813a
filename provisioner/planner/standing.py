"""What is on record or there already, held against what the file says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from attrs import frozen

from provisioner.model.address import Address
from provisioner.model.resource import Absent, Reading, Seen, Unreachable
from provisioner.model.schema import Schema
from provisioner.model.state import Entry, State, Status
from provisioner.model.step import ABSENT, FieldChange
from provisioner.model.value import Unknown, Value, is_known, strip_origins
from provisioner.planner.case import CHANGED_OUTSIDE, Case
from provisioner.planner.compare import changes, differences, shut

NOT_COMPARED = "secrets were not compared: no identity"


@frozen
class Compared:
    """How an object stands, the changes to make to it, and notes on what differs without being changed."""

    standing: Mapping[str, Value]
    changes: tuple[FieldChange, ...]
    notes: tuple[str, ...]

    def fixed(self, schema: Schema) -> Iterator[FieldChange]:
        """The changes that no change in place can make."""
        return (change for change in self.changes if schema.fields[str(change.path[0])].marks.immutable)


def compared(case: Case, recorded: Mapping[str, Value]) -> Compared:
    """What reading found where it tells, and what is recorded elsewhere, before what is wanted."""
    schema = case.kind.props
    found = {name: value for name, value in case.found.items() if schema.fields[name].marks.readable}
    if not case.wanted.keys() <= recorded.keys():  # an older release did not know every property
        recorded = {**schema.normal({}), **recorded}
    standing = {**recorded, **found}
    notes = [*_unlike_at_birth(schema, recorded, case.wanted), *out_of_reach(case)]
    if shut(standing, case.wanted):
        notes.append(NOT_COMPARED)
    different = changes(schema, standing, case.wanted, case.ignored)
    return Compared(standing, tuple(different), tuple(notes))


def _unlike_at_birth(schema: Schema, recorded: Mapping[str, Value], wanted: Mapping[str, Value]) -> Iterator[str]:
    for name in schema.birth:
        value = wanted.get(name)
        if is_known(value) and schema.recorded({name: strip_origins(value)})[name] != recorded.get(name):
            yield f"{name} is no longer what it was made with"


def out_of_reach(case: Case) -> tuple[str, ...]:
    """That nothing is known of an object now, and since when."""
    if not isinstance(case.reading, Unreachable):
        return ()
    silent = case.entry.silent if case.entry is not None else ""
    since = _minute(silent) if silent else f"{case.reading.since:%Y-%m-%d %H:%M}" if case.reading.since else ""
    return (f"unknown{f' since {since}' if since else ''}: {case.reading.reason}; compared with what is recorded",)


def _minute(text: str) -> str:
    try:
        return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}"
    except ValueError:
        return text


def why(case: Case, entry: Entry, different: tuple[FieldChange, ...]) -> tuple[str, ...]:
    """Why an object is changed in place."""
    if entry.status is Status.UPDATING:
        return ("an earlier run was cut off while changing it",)
    if entry.status is Status.DELETING:
        return ("an earlier run was about to remove it",)
    if not different:
        return ("it is protected from now on" if case.resource.protect else "it is no longer protected",)
    if isinstance(case.reading, Seen) and all(_drifted(entry, change) for change in different):
        return (CHANGED_OUTSIDE,)
    return ("the file changed",)


def _drifted(entry: Entry, change: FieldChange) -> bool:
    """Whether a leaf is wanted as it was applied, so that only the remote has moved."""
    value: Value = entry.applied
    for part in change.path:
        if isinstance(value, Mapping) and part in value:
            value = value[str(part)]
        elif isinstance(value, tuple) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return change.after == ABSENT
    return not any(differences(value, change.after))


def cannot_change(change: FieldChange) -> str:
    """Why a change takes a new object."""
    may = "may change" if isinstance(change.after, Unknown) else "changes"
    return f"{'.'.join(str(part) for part in change.path)} {may}, which takes a new one"


def down(state: State, seen: Mapping[Address, Reading]) -> frozenset[Address]:
    """What is on record and does no service now: it is out of reach, gone, or failed before it was there."""
    silent = (address for address, reading in seen.items() if isinstance(reading, Unreachable | Absent))
    failed = (entry.address for entry in state.entries.values() if entry.status is Status.FAILED)
    return frozenset((*(address for address in silent if address in state.entries), *failed))
