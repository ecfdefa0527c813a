"""Whether a plan made earlier still fits what is on record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from provisioner.model.address import Address
from provisioner.model.plan import Plan
from provisioner.model.state import Entry, State
from provisioner.model.step import Adopt, Delete, Run, Step, Update
from provisioner.model.value import refs
from provisioner.planner.moves import origin_of


def stale(plan: Plan, state: State, versions: Mapping[str, str]) -> str:
    """Why a plan no longer fits, empty if it does. `state` is as on record, before the moves of the plan."""
    if plan.base.lineage != state.lineage:
        return "it was made for another state"
    for type_, version in plan.base.providers.items():
        if versions.get(type_) != version:
            return f"the provider {type_} was {version} then and is {versions.get(type_, 'not installed')} now"
    return next(_moved(plan, state), "") or next(_touched(plan, state), "")


def _moved(plan: Plan, state: State) -> Iterator[str]:
    """What stands in the way of the plan's moves."""
    on_record = {*state.entries, *(address for address, _ in state.deposed)}
    for move in plan.moves:
        if move.origin not in on_record:
            yield f"{move.origin} is gone since"
        if move.target in on_record:
            yield f"{move.target} is on record since"
        on_record = (on_record - {move.origin}) | {move.target}


def _touched(plan: Plan, state: State) -> Iterator[str]:
    """What has become of all that the plan changes, or refers to without making it."""
    adopted = {step.address for step in plan.steps if isinstance(step, Adopt)}
    given = {step.address for step in plan.steps} | plan.found.keys()
    for step in plan.work:
        needed = isinstance(step, Update | Run | Delete) and step.address not in adopted
        yield from _unlike(plan, step.address, _entry_of(step, plan, state), needed=needed)
        for to in dict.fromkeys(ref.to for ref in refs(dict(getattr(step, "wanted", {})))):
            if to not in given:
                yield from _unlike(plan, to, _current(to, plan, state), needed=True)


def _entry_of(step: Step, plan: Plan, state: State) -> Entry | None:
    """The entry that a step is about; a removal is about one generation and no other."""
    entry = _current(step.address, plan, state)
    if not isinstance(step, Delete) or (entry is not None and entry.generation == step.generation):
        return entry
    origin = origin_of(step.address, plan.moves)
    return state.deposed.get((origin, step.generation)) if origin is not None else None


def _current(address: Address, plan: Plan, state: State) -> Entry | None:
    origin = origin_of(address, plan.moves)
    return state.entries.get(origin) if origin is not None else None


def _unlike(plan: Plan, address: Address, entry: Entry | None, *, needed: bool) -> Iterator[str]:
    if entry is None and needed:
        yield f"{address} is gone since"
    if entry is not None and entry.serial > plan.base.serial:
        yield f"{address} has changed since"
