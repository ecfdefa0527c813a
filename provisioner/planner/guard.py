"""What must not happen silently."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from provisioner.errors import Place, Problem
from provisioner.model.state import State, Status
from provisioner.model.step import Create, Step
from provisioner.planner.kinds import Kinds

DATA_LOSS = "data-loss"
UNWIPED = "unwiped"
DANGERS = (DATA_LOSS, UNWIPED)
"""What `--allow` can name."""


def losses(steps: Iterable[Step], state: State, kinds: Kinds, allow: frozenset[str]) -> Iterator[Problem]:
    """Steps that would make anew what held data, and so seal its loss."""
    if DATA_LOSS in allow:
        return
    for step in steps:
        entry = state.entries.get(step.address) if isinstance(step, Create) else None
        if not isinstance(step, Create) or entry is None or entry.status is Status.CREATING:
            continue
        precious = kinds.of(step.address).precious
        if precious:
            fate = "would be replaced" if step.replaces else "was there and is gone"
            yield Problem(
                "data-loss",
                "data would be lost for good",
                f"{step.address} {fate}; making it anew gives up {precious}",
                Place(address=str(step.address)),
                "bring the old machines back, or accept the loss with --allow data-loss",
            )
