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
from provisioner.model.step import Adopt, Check, Create, Delete, Keep, LookUp, Run, Update
from provisioner.model.value import Function, Unknown, Value, evaluate, leaves, strip_origins
from provisioner.sdk.provider import AnyKind
from provisioner.state.ulid import new_ulid

Called = Create | Adopt | Update | Run | Delete | Check | LookUp
"""The steps that call a provider."""


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


def opened(step: Called, entry: Entry | None, props: Mapping[str, Value]) -> Entry:
    """The entry that says what is about to be called; `entry` is what its address, or generation, has on record."""
    match step:
        case Create() if entry is not None and _same_flight(entry, step, Status.CREATING):
            return entry
        case Create():
            return _born(step, Status.CREATING, props, depends_on=step.depends_on, protect=step.protect)
        case Adopt() if entry is not None and _same_flight(entry, step, Status.ADOPTING):
            return entry
        case Adopt():
            born = _born(step, Status.ADOPTING, props, depends_on=step.depends_on, protect=step.protect)
            return evolve(born, id=step.remote)
        case Check():
            born = _born(step, Status.READY, props, depends_on=step.depends_on)
            return evolve(born, key=entry.key) if entry is not None else born
        case LookUp():
            return _born(step, Status.READY, props)
        case Update():
            assert entry is not None
            fresh = evolve(entry, status=Status.UPDATING, intended=props, phase="", memo={}, how="", error="")
            return evolve(fresh, owed=step.then, depends_on=step.depends_on, protect=step.protect)
        case Run():
            assert entry is not None
            if entry.status is Status.RUNNING and entry.how == step.action:
                return evolve(entry, owed=step.then)
            fresh = evolve(entry, status=Status.RUNNING, how=step.action, phase="", memo={}, error="")
            return evolve(fresh, owed=step.then, intended={})
        case Delete():
            assert entry is not None
            if entry.status is Status.DELETING:
                return evolve(entry, how=step.how)
            return evolve(entry, status=Status.DELETING, how=step.how, phase="", memo={}, error="", owed=())


def deposed(step: Called, entry: Entry | None) -> tuple[Change, ...]:
    """What becomes of the object that a creation takes the place of: it stands beside the new one for now."""
    if isinstance(step, Create) and step.deposes and entry is not None and entry.generation != step.generation:
        return (Put(evolve(entry, deposed=True)),)
    return ()


def reordering(step: Keep, entry: Entry | None) -> tuple[Change, ...]:
    """The record of a kept object that needs others now than it did when it was made."""
    if entry is None or step.depends_on is None or set(step.depends_on) == set(entry.depends_on):
        return ()
    return (Put(evolve(entry, depends_on=step.depends_on)),)


def reached(entry: Entry, kind: AnyKind, outputs: Any) -> Change:
    """The record of a call that finished. The outputs of an action may be None: then those on record stay."""
    if entry.status is Status.DELETING:
        return Drop(entry.address, entry.generation)
    if entry.status is Status.RUNNING and outputs is None:
        return Put(evolve(entry, status=Status.READY, phase="", memo={}, how="", error=""))
    dumped = Schema.of(kind.outputs).dump(outputs)
    id_ = dumped.get("id")
    return Put(
        evolve(
            entry,
            status=Status.READY,
            id=str(id_) if id_ is not None else entry.id,
            phase="",
            memo={},
            how="",
            intended={},
            applied=entry.applied if entry.status is Status.RUNNING else _applied(entry, kind),
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


def refused(entry: Entry, previous: Entry | None, err: Fatal) -> tuple[Change, ...]:
    """The record of a call that the remote refused for good; `previous` is what stood there before."""
    settled = evolve(entry, status=Status.READY, intended={}, phase="", memo={}, how="", error=err.summary)
    match entry.status:
        case Status.CREATING if err.effect:
            return (Put(evolve(entry, status=Status.FAILED, error=err.summary, phase="", memo={})),)
        case Status.CREATING | Status.ADOPTING:
            gone = Drop(entry.address, entry.generation)
            return (gone,) if previous is None or previous.in_flight else (gone, Put(previous))
        case Status.UPDATING:
            return (Put(settled),)
        case Status.RUNNING:
            return (Put(evolve(settled, owed=(entry.how, *entry.owed))),)
        case _:
            return (Put(evolve(entry, error=err.summary)),)


def _same_flight(entry: Entry, step: Create | Adopt, status: Status) -> bool:
    return entry.status is status and entry.generation == step.generation


def _born(step: Called, status: Status, props: Mapping[str, Value], **more: Any) -> Entry:
    return Entry(step.address, step.generation, step.provider, new_ulid(), status, intended=props, **more)


def _applied(entry: Entry, kind: AnyKind) -> Mapping[str, Value]:
    schema = Schema.of(kind.props)
    applied = schema.recorded(entry.intended)
    if entry.status is Status.UPDATING:  # what it was made with stays on record: no change in place reaches that
        applied |= {name: value for name, value in entry.applied.items() if schema.fields[name].marks.birth}
    return applied
