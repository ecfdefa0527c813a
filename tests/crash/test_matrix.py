"""SIGKILL before and after every kind of call and commit: nothing is lost, doubled or made anew.

The short form of the crash matrix: one kill at every kind of point. `make crash-matrix` kills at all of them.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator

import pytest
from crash.choice import Traces, in_turns, kinds_for, one_of_a_kind, unseen
from crash.ground import Broken, Ground
from crash.matrix import fresh_ground
from crash.scenarios import FAMILIES, SMALL, Family

pytestmark = pytest.mark.crash

PARTS = 4
"""Into how many tests the family that is killed everywhere is cut, so that they run side by side."""
DOUBLES = 6
"""How often a run and the run after it are both killed, by each family."""


@pytest.fixture
def ground() -> Iterator[Ground]:
    """A fresh laboratory."""
    with fresh_ground() as ground:
        yield ground


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_every_kind_of_point(ground: Ground, part: int) -> None:
    """Of the first apply, of edits, of a replacement and of the destroy, on user-data."""
    traces = _traces(ground, SMALL)
    kinds = {kind for kind in kinds_for(SMALL, traces) if zlib.crc32(kind.encode()) % PARTS == part}

    assert unseen(SMALL, traces) == []
    _kill_at(ground, SMALL, traces, kinds)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "family", [family for family in FAMILIES.values() if family is not SMALL], ids=lambda f: f.name
)
def test_killed_where_other_clusters_differ(ground: Ground, family: Family) -> None:
    """Delivery through the API; control planes that leave, join and die; a file that changes after the kill."""
    traces = _traces(ground, family)

    assert unseen(family, traces) == []
    _kill_at(ground, family, traces, kinds_for(family, traces))


@pytest.mark.timeout(900)
def test_killed_again_while_recovering(ground: Ground) -> None:
    """The run after a kill is killed as well, at any of its points."""
    chance = random.Random(7)
    traces = _traces(ground, SMALL)

    for _ in range(DOUBLES // 2):
        for scenario in SMALL.scenarios:
            first, second = (chance.randint(1, len(traces[scenario])) for _ in range(2))
            ground.kill(scenario, f"#{first}", f"#{second}")


def _traces(ground: Ground, family: Family) -> Traces:
    return {scenario: ground.trace(scenario) for scenario in family.scenarios}


def _kill_at(ground: Ground, family: Family, traces: Traces, kinds: set[str]) -> None:
    missed: list[str] = []
    kills = in_turns(one_of_a_kind(traces, kinds), family.scenarios)
    for kill in kills:
        try:
            if not ground.kill(kill.scenario, kill.point):
                missed.append(kill.point)
        except Broken as err:
            raise AssertionError(f"{kill.scenario.name}, killed at `{kill.point}`: {err}") from err

    assert len(missed) <= len(kills) // 10, f"too few points were passed again; missed were {missed}"
