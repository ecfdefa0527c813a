"""Which points a run of the matrix kills at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen
from crash.ground import Passage
from crash.points import kind_of
from crash.scenarios import Family, Scenario

Traces = Mapping[Scenario, Sequence[Passage]]


@frozen
class Kill:
    """One cell of the matrix: a scenario, and the point at which its run is killed."""

    scenario: Scenario
    point: str


def every(traces: Traces) -> list[Kill]:
    """All passages of all scenarios, each by the first of its names."""
    return [Kill(scenario, passage.names[0]) for scenario, trace in traces.items() for passage in trace]


def one_of_a_kind(traces: Traces, kinds: Iterable[str]) -> list[Kill]:
    """As few passages as have every kind among their names."""
    missing = set(kinds)
    chosen: list[Kill] = []
    for scenario, trace in traces.items():
        while best := max(trace, key=lambda passage: len(missing & _kinds(passage)), default=None):
            hit = missing & _kinds(best)
            if not hit:
                break
            missing -= hit
            chosen.append(Kill(scenario, next(name for name in best.names if kind_of(name) in hit)))
    return chosen


def kinds_for(family: Family, traces: Traces) -> set[str]:
    """The kinds of points at which a short run of the family kills."""
    if family.everywhere:
        return {kind for trace in traces.values() for passage in trace for kind in _kinds(passage)}
    return {
        kind
        for scenario, trace in traces.items()
        for passage in trace
        for kind in _kinds(passage)
        if kind.startswith(tuple(f"{start} " for start in family.must.get(scenario.name, ("nothing",))))
    }


def unseen(family: Family, traces: Traces) -> list[str]:
    """What the family's traces had to show and did not, before or after."""
    missing: list[str] = []
    for scenario, trace in traces.items():
        seen = {kind for passage in trace for kind in _kinds(passage)}
        wanted = [f"{start} {side}" for start in family.must.get(scenario.name, ()) for side in ("before", "after")]
        missing += [f"{scenario.name}: {kind}" for kind in wanted if kind not in seen]
    return missing


def in_turns(kills: Sequence[Kill], order: Sequence[Scenario]) -> list[Kill]:
    """The kills in rounds, one per scenario, so that each begins where the one before it ended."""
    queues = {scenario.name: [kill for kill in kills if kill.scenario is scenario] for scenario in order}
    turns: list[Kill] = []
    while any(queues.values()):
        turns += [queue.pop(0) for queue in queues.values() if queue]
    return turns


def _kinds(passage: Passage) -> set[str]:
    return {kind_of(name) for name in passage.names}
