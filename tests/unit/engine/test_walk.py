"""Which step may run when."""

from __future__ import annotations

from provisioner.engine.walk import Outcome, Walk


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
