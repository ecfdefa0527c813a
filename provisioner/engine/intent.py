"""What is put on record before and after a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from provisioner.engine.clients import Lookup
from provisioner.errors import Fatal, OperatorNeeded
from provisioner.model.job import Pending
from provisioner.model.schema import Schema
from provisioner.model.state import Change, Drop, Entry, Put, Status
from provisioner.model.step import Check, Create, Delete, Update
from provisioner.model.value import Function, Unknown, Value, evaluate, leaves, strip_origins
from provisioner.sdk.provider import AnyKind
from provisioner.state.ulid import new_ulid


def intended(
    wanted: Mapping[str, Value], kind: AnyKind, lookup: Lookup, functions: Mapping[str, Function]
) -> dict[str, Value]:
    """The props of a call, resolved by what is on record now; raises Fatal while something is unknown."""
    try:
        resolved = strip_origins(evaluate(wanted, lookup, functions))
    except ValueError as err:
        raise Fatal("an expression cannot be computed", detail=str(err), effect=False) from None
    assert isinstance(resolved, Mapping)
    for path, leaf in leaves(resolved):
        if isinstance(leaf, Unknown):
            raise Fatal(
                "a value is still unknown when it is needed",
                detail=f"{'.'.join(str(part) for part in path)} waits for {leaf.why}",
                remedy="plan again with `prov plan`; if it stays, this is a fault of the provider that owes it",
                effect=False,
            )
    schema = Schema.of(kind.props)
    for name, sentence in schema.complaints(resolved):
        raise Fatal("a property does not fit its kind", detail=f"{name} {sentence}", effect=False)
    return schema.normal(resolved)


def opened(step: Create | Update | Delete | Check, entry: Entry | None, props: Mapping[str, Value]) -> Entry:
    """The entry that says what is about to be called."""
    match step:
        case Create() if entry is not None and entry.status is Status.CREATING:
            return entry
        case Create():
            return Entry(
                address=step.address,
                generation=step.generation,
                provider=step.provider,
                key=new_ulid(),
                status=Status.CREATING,
                intended=props,
                depends_on=step.depends_on,
                protect=step.protect,
            )
        case Check():
            return Entry(
                address=step.address,
                generation=step.generation,
                provider=step.provider,
                key=entry.key if entry else new_ulid(),
                status=Status.READY,
                intended=props,
                depends_on=step.depends_on,
            )
        case Update():
            assert entry is not None
            fresh = evolve(entry, status=Status.UPDATING, intended=props, phase="", memo={}, how="", error="")
            return evolve(fresh, depends_on=step.depends_on, protect=step.protect)
        case Delete():
            assert entry is not None
            if entry.status is Status.DELETING:
                return evolve(entry, how=step.how)
            return evolve(entry, status=Status.DELETING, how=step.how, phase="", memo={}, error="")


def reached(entry: Entry, kind: AnyKind, outputs: Any) -> Change:
    """The record of a call that finished."""
    if entry.status is Status.DELETING:
        return Drop(entry.address, entry.generation)
    dumped = Schema.of(kind.outputs).dump(outputs)
    id_ = dumped.get("id")
    schema = Schema.of(kind.props)
    applied = schema.recorded(entry.intended)
    if entry.status is Status.UPDATING:  # what it was made with stays on record: no change in place reaches that
        applied |= {name: value for name, value in entry.applied.items() if schema.fields[name].marks.birth}
    return Put(
        evolve(
            entry,
            status=Status.READY,
            id=str(id_) if id_ is not None else entry.id,
            phase="",
            memo={},
            intended={},
            applied=applied,
            outputs=dumped,
            error="",
        )
    )


def pending(entry: Entry, answer: Pending) -> Entry:
    """The entry with the checkpoint of an answer."""
    return evolve(entry, id=answer.id or entry.id, phase=answer.phase, memo=dict(answer.memo))


def withdrawn(entry: Entry, previous: Entry | None, err: OperatorNeeded) -> Change | None:
    """The old record, if a removal asked for a person before it had come anywhere; else None.

    So the file may still keep the thing. What was done to it after all shows when it is read.
    """
    if entry.status is not Status.DELETING or entry.phase or previous is None or previous.in_flight:
        return None
    return Put(evolve(previous, error=err.summary))


def refused(entry: Entry, previous: Entry | None, err: Fatal) -> Change:
    """The record of a call that the remote refused for good."""
    if entry.status is Status.CREATING:
        if not err.effect:
            return (
                Put(previous)
                if previous is not None and not previous.in_flight
                else Drop(entry.address, entry.generation)
            )
        return Put(evolve(entry, status=Status.FAILED, error=err.summary, phase="", memo={}))
    if entry.status is Status.UPDATING:
        return Put(evolve(entry, status=Status.READY, intended={}, phase="", memo={}, error=err.summary))
    return Put(evolve(entry, error=err.summary))
