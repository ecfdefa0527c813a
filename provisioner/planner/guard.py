"""What must not happen silently."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from provisioner.errors import Place, Problem
from provisioner.model.state import State, Status
from provisioner.model.step import Create, Step
from provisioner.planner.decide import KindOf
from provisioner.sdk.provider import Precious

DATA_LOSS = "data-loss"


def losses(steps: Iterable[Step], state: State, kind_of: KindOf, allow: frozenset[str]) -> Iterator[Problem]:
    """Steps that would make anew what held data, and so seal its loss."""
    if DATA_LOSS in allow:
        return
    for step in steps:
        kind = kind_of(step.address.kind)
        entry = state.entries.get(step.address)
        if isinstance(step, Create) and entry is not None and isinstance(kind, Precious):
            if entry.status is Status.CREATING:
                continue
            fate = "would be replaced" if step.replaces else "was there and is gone"
            yield Problem(
                "data-loss",
                "data would be lost for good",
                f"{step.address} {fate}; making it anew gives up {kind.precious}",
                Place(address=str(step.address)),
                "bring the old machines back, or accept the loss with --allow data-loss",
            )
