"""The gauntlet: what a core has to come through, each with a kill at every point.

Each row is a story with a beginning, a deed and an end. The deed is first done undisturbed and its points are
counted; then it is killed at each of them, and done again. The end must be the same however it went.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from fakes.trial import Trial

Fresh = Callable[[], Trial]
A, B, C = "toy.thing/a", "toy.thing/b", "toy.thing/c"


def at_every_point(
    fresh: Fresh,
    begin: Callable[[Trial], None],
    wanted: Mapping[str, Any],
    end: Callable[[Trial], None],
    **case: Any,
) -> None:
    """Kills the apply of `wanted` at each of its points, once; applies again; and looks at the end."""
    undisturbed = fresh()
    begin(undisturbed)
    points = undisturbed.points(wanted, **case)
    end(undisturbed)
    assert points > 4
    for point in range(points):
        trial = fresh()
        begin(trial)
        assert trial.killed(point, wanted, **case), f"point {point} of {points}"
        trial.apply(wanted, **case)
        trial.assert_nothing_is_lost()
        assert trial.plan(wanted, **case).empty, f"killed at point {point} of {points}"
        end(trial)


def nothing(trial: Trial) -> None:
    """Begins with nothing."""


def test_making_things_that_need_each_other(fresh: Fresh) -> None:
    wanted = {A: None, B: {"parts": {"at": f"${{{A}.address}}"}}, "toy.gate/up": {"watches": {"b": f"${{{B}.id}}"}}}

    def end(trial: Trial) -> None:
        assert trial.cloud.names() == ["a", "b"]

    at_every_point(fresh, nothing, wanted, end)


def test_the_file_edited_while_a_create_is_in_flight(fresh: Fresh) -> None:
    """The stored values are finished first, then the edit is applied; in place where it can be, else anew."""
    for edited in ({A: {"size": 3}}, {A: {"name": "other"}}, {B: None}):
        undisturbed = fresh()
        points = undisturbed.points({A: {"size": 2}})
        for point in range(points):
            trial = fresh()
            trial.killed(point, {A: {"size": 2}})
            trial.apply(edited)
            trial.assert_nothing_is_lost()
            assert trial.plan(edited).empty


def test_scaling_down_with_a_dead_member(fresh: Fresh) -> None:
    """It is removed in the manner that fits a member that does not answer."""
    everybody = {f"toy.vault/{name}": {"name": name} for name in "abc"}
    rest = {address: props for address, props in everybody.items() if address != "toy.vault/c"}

    def begin(trial: Trial) -> None:
        trial.apply(everybody)
        trial.cloud.unreachable.add("c")

    def end(trial: Trial) -> None:
        assert trial.cloud.names() == ["a", "b"]
        assert {job.how for job in trial.cloud.jobs if job.address.name == "c" and job.how} == {"force"}

    at_every_point(fresh, begin, rest, end)


def test_tearing_everything_down_with_a_dead_member(fresh: Fresh) -> None:
    everybody = {f"toy.vault/{name}": {"name": name} for name in "abc"}

    def begin(trial: Trial) -> None:
        trial.apply(everybody)
        trial.cloud.unreachable.add("c")

    def end(trial: Trial) -> None:
        assert trial.cloud.names() == []
        assert trial.state().entries == {}

    at_every_point(fresh, begin, {}, end, options={"destroy": True})


@pytest.mark.parametrize("seed", range(3))
def test_a_second_kill_while_the_first_is_made_good(fresh: Fresh, seed: int) -> None:
    wanted = {A: None, B: {"_after": [A]}, C: {"name": "c2", "_after": [B]}}
    points = fresh().points(wanted)
    for point in range(points):
        trial = fresh()
        trial.chance.seed(seed)
        trial.killed(point, wanted)
        trial.killed(trial.chance.randrange(points), wanted)
        trial.apply(wanted)
        trial.assert_nothing_is_lost()
        assert trial.cloud.names() == ["a", "b", "c"]
