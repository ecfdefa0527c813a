"""Which step may run when."""

from __future__ import annotations

from provisioner.engine.walk import Outcome, Walk
from provisioner.model.rollout import Rollout


def test_what_needs_nothing_begins_at_once_and_only_once() -> None:
    walk = Walk({"a": (), "b": ()})
    assert walk.take() == ["a", "b"]
    assert walk.take() == []


def test_a_step_begins_when_all_its_needs_are_done() -> None:
    walk = Walk({"a": (), "b": (), "c": ("a", "b")})
    walk.take()
    walk.done("a")
    assert walk.take() == []
    walk.done("b")
    assert walk.take() == ["c"]


def test_needs_outside_the_graph_count_as_met() -> None:
    assert Walk({"a": ("elsewhere",)}).take() == ["a"]


def test_what_needs_a_failed_one_is_skipped_with_the_cause_and_nothing_else_is() -> None:
    walk = Walk({"a": (), "b": ("a",), "c": ("b",), "d": ()})
    walk.take()
    assert sorted(walk.failed("a")) == [("b", "a"), ("c", "a")]
    assert walk.take() == []
    walk.done("d")
    assert walk.outcome == {
        "a": Outcome.FAILED,
        "b": Outcome.SKIPPED,
        "c": Outcome.SKIPPED,
        "d": Outcome.DONE,
    }


def test_what_needs_two_failed_ones_is_skipped_once() -> None:
    walk = Walk({"a": (), "b": (), "c": ("a", "b")})
    walk.take()
    assert walk.failed("a") == [("c", "a")]
    assert walk.failed("b") == []
    assert (walk.count(Outcome.FAILED), walk.count(Outcome.SKIPPED), walk.count(Outcome.DONE)) == (2, 1, 0)


def test_a_skipped_step_never_begins_even_if_its_other_needs_finish_later() -> None:
    walk = Walk({"a": (), "b": (), "c": ("a", "b")})
    walk.take()
    walk.failed("a")
    walk.done("b")
    assert walk.take() == []


def test_of_steps_that_are_ready_and_then_skipped_none_begins() -> None:
    walk = Walk({"a": (), "b": ("a",)})
    walk.take()
    walk.failed("a")
    assert walk.take() == []


# turns


def _rollout(*turns: tuple[str, ...], budget: int = 0) -> Rollout:
    return Rollout(members=(), max_unavailable=1, reason="one by one", failure_budget=budget, turns=turns)


def _in_turns(budget: int = 0) -> Walk:
    """Three members of two steps each, one by one; something outside needs the second member."""
    needs = {"a1": (), "a2": ("a1",), "b1": (), "b2": ("b1",), "c1": (), "c2": ("c1",), "x": ("b2",)}
    turns = {"b1": ("a1", "a2"), "c1": ("b1", "b2")}
    return Walk(needs, turns, [_rollout(("a1", "a2"), ("b1", "b2"), ("c1", "c2"), budget=budget)])


def test_a_turn_comes_when_the_one_before_has_ended() -> None:
    walk = _in_turns()
    assert walk.take() == ["a1"]
    walk.done("a1")
    assert walk.take() == ["a2"]
    walk.done("a2")
    assert walk.take() == ["b1"]


def test_a_failure_ends_the_rollout_and_what_needs_its_members() -> None:
    walk = _in_turns()
    walk.take()
    skipped = walk.failed("a1")
    assert sorted(skipped) == [(id_, "a1") for id_ in ("a2", "b1", "b2", "c1", "c2", "x")]
    assert walk.take() == []
    assert [rollout.failure_budget for rollout in walk.fallen()] == [0]
    assert walk.fallen() == []


def test_within_the_budget_the_next_one_has_its_turn_all_the_same() -> None:
    walk = _in_turns(budget=1)
    walk.take()
    assert walk.failed("a1") == [("a2", "a1")]
    assert walk.take() == ["b1"]
    assert walk.fallen() == []


def test_a_member_that_fails_twice_counts_once() -> None:
    walk = Walk({"a1": (), "a2": (), "b1": ()}, {"b1": ("a1", "a2")}, [_rollout(("a1", "a2"), ("b1",), budget=1)])
    walk.take()
    walk.failed("a1")
    walk.failed("a2")
    assert walk.take() == ["b1"]


def test_a_rollout_that_fell_comes_to_rest_when_its_begun_members_have_ended() -> None:
    walk = Walk({"a": (), "b": (), "c": ()}, {"c": ("a",)}, [_rollout(("a",), ("b",), ("c",))])
    assert walk.take() == ["a", "b"]
    walk.failed("a")
    assert walk.fallen() == []
    walk.done("b")
    assert len(walk.fallen()) == 1
    assert walk.outcome["c"] is Outcome.SKIPPED


def test_a_member_skipped_for_other_reasons_is_no_failure_of_the_rollout() -> None:
    walk = Walk({"x": (), "a": ("x",), "b": ()}, {"b": ("a",)}, [_rollout(("a",), ("b",))])
    assert walk.take() == ["x"]
    walk.failed("x")
    assert walk.take() == ["b"]


def test_steps_can_be_added_on_the_way() -> None:
    walk = _in_turns()
    walk.take()
    walk.failed("a1")
    walk.add({"back-b": (), "back-a": ("back-b",)}, {})
    assert walk.take() == ["back-b"]
    walk.done("back-b")
    assert walk.take() == ["back-a"]
