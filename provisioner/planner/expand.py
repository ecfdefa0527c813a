"""Changes in place that take several steps, and actions that an earlier run still owes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from attrs import evolve

from provisioner.errors import Problem
from provisioner.model.state import Entry, Status
from provisioner.model.step import Run, Update
from provisioner.planner.kinds import Known
from provisioner.planner.problems import ill_expanded

Changing = tuple[Update | Run, ...]


def owed_by(entry: Entry | None) -> tuple[str, ...]:
    """The actions that were planned to follow a change and have not been done, one in flight first."""
    if entry is None:
        return ()
    return (entry.how, *entry.owed) if entry.status is Status.RUNNING else entry.owed


def expanded(update: Update, kind: Known, owed: Sequence[str], problems: list[Problem]) -> Changing:
    """The steps that make up a change, in the order in which they follow each other.

    What is owed from an earlier run and is not among them comes after.
    """
    steps: Sequence[Update | Run] = [update]
    if kind.expands is not None:
        steps = [_filled(step, update) for step in kind.expands.expand(update)]
        fault = _fault(steps, update)
        if fault:
            problems.append(ill_expanded(update.address, fault))
            steps = [update]
    planned = {step.action for step in steps if isinstance(step, Run)}
    rest = [action for action in owed if kind.acts and action not in planned]
    return _chained((*steps, *_runs(update, rest, {step.part for step in steps})))


def outstanding(entry: Entry, provider: str, owed: Sequence[str]) -> Changing:
    """The steps that do what is owed, where nothing else is to be changed."""
    like = Run(address=entry.address, provider=provider, generation=entry.generation, action="")
    return _chained(_runs(like, owed, set()))


def _runs(like: Update | Run, actions: Sequence[str], taken: set[str]) -> Changing:
    """A step for each action; one that stands there twice has a number in the part of the second."""
    runs: list[Run] = []
    for action in actions:
        part = next(name for name in _names(action) if name not in taken)
        taken.add(part)
        runs.append(
            Run(
                address=like.address,
                provider=like.provider,
                generation=like.generation,
                part=part,
                reasons=("an earlier run was cut off before this",),
                action=action,
            )
        )
    return tuple(runs)


def _names(action: str) -> Iterator[str]:
    yield action
    yield from (f"{action}-{number}" for number in itertools.count(2))


def _filled(step: Update | Run, update: Update) -> Update | Run:
    """A kind's step with what the planner knows better."""
    filled = evolve(
        step,
        address=update.address,
        provider=update.provider,
        generation=update.generation,
        reasons=step.reasons or update.reasons,
    )
    if isinstance(filled, Run):
        return filled
    return evolve(filled, depends_on=update.depends_on, protect=update.protect)


def _fault(steps: Sequence[Update | Run], update: Update) -> str:
    """What is wrong with an expansion, empty if nothing is."""
    ids = [step.id for step in steps]
    twice = next((id_ for id_ in ids if ids.count(id_) > 1), "")
    if twice:
        return f"two of the steps are called {twice}"
    updates = [step for step in steps if isinstance(step, Update)]
    if not updates or updates[-1].wanted != update.wanted:
        return "its steps do not end at what the file says"
    return ""


def _chained(steps: Changing) -> Changing:
    """Each with the actions that follow it; after a crash they are what is owed."""
    actions = [step.action if isinstance(step, Run) else "" for step in steps]
    return tuple(
        evolve(step, then=tuple(action for action in actions[index + 1 :] if action))
        for index, step in enumerate(steps)
    )
