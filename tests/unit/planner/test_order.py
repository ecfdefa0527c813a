"""Edges between steps: made after what is needed, removed before it, and never in a circle."""

from __future__ import annotations

from typing import Any

from fakes.planning import plan
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.model.plan import Plan

A, B, C, D = (f"toy.thing/{name}" for name in "abcd")
GATE = "toy.gate/up"


def _after(made: Plan) -> dict[str, tuple[str, ...]]:
    return {step.id: step.after for step in made.work}


def _turn(made: Plan) -> dict[str, tuple[str, ...]]:
    return {step.id: step.turn for step in made.work if step.turn}


def test_what_is_made_waits_for_what_it_needs() -> None:
    made = plan({"wanted": {B: {"parts": {"x": f"${{{A}.address}}"}}, A: None}})
    assert _after(made) == {f"create:{A}": (), f"create:{B}": (f"create:{A}",)}


def test_waiting_goes_through_what_is_kept() -> None:
    made = plan(
        {
            "wanted": {A: {"size": 2}, B: {"_after": [A]}, C: {"_after": [B]}},
            "state": {A: None, B: {"depends_on": [A]}},
        }
    )
    assert _after(made) == {f"update:{A}": (), f"create:{C}": (f"update:{A}",)}


def test_what_is_removed_waits_for_all_that_was_made_after_it() -> None:
    made = plan({"state": {A: None, B: {"depends_on": [A]}, C: {"depends_on": [B, A]}}})
    assert _after(made) == {
        f"delete:{C}": (),
        f"delete:{B}": (f"delete:{C}",),
        f"delete:{A}": (f"delete:{B}", f"delete:{C}"),
    }


def test_removal_waits_for_what_was_made_after_a_gate_that_watched() -> None:
    """The gate itself is only forgotten, but what came after it needs what it watched."""
    made = plan({"state": {A: None, GATE: {"depends_on": [A]}, C: {"depends_on": [GATE]}}})
    assert _after(made)[f"delete:{A}"] == (f"delete:{C}",)


def test_removal_waits_for_what_was_made_after_something_that_stays() -> None:
    """B no longer refers to A and stays; C, made after B, goes before A all the same."""
    made = plan({"wanted": {B: None}, "state": {A: None, B: {"depends_on": [A]}, C: {"depends_on": [B]}}})
    assert _after(made) == {f"delete:{C}": (), f"delete:{A}": (f"delete:{C}",)}


def test_a_replacement_removes_first_and_what_refers_to_it_comes_last() -> None:
    address = f"${{{A}.address}}"
    made = plan(
        {
            "wanted": {A: {"name": "new"}, B: {"parts": {"x": address}}},
            "state": {A: None, B: {"applied": {"parts": {"x": "10.0.0.1"}}, "depends_on": [A]}},
        }
    )
    assert _after(made) == {
        f"delete:{A}": (),
        f"create:{A}": (f"delete:{A}",),
        f"update:{B}": (f"create:{A}",),
    }


def test_who_used_a_thing_that_goes_for_good_lets_go_of_it_first() -> None:
    made = plan({"wanted": {B: {"size": 2}}, "state": {A: None, B: {"depends_on": [A]}}})
    assert _after(made) == {f"update:{B}": (), f"delete:{A}": (f"update:{B}",)}


def test_a_gate_waits_for_the_removal_of_what_it_used_to_watch() -> None:
    made = plan(
        {
            "wanted": {GATE: {"watches": {"n": 0}}},
            "state": {A: None, GATE: {"applied": {"watches": {"n": 1}}, "depends_on": [A]}},
        }
    )
    assert _after(made) == {f"delete:{A}": (), f"check:{GATE}": (f"delete:{A}",)}


def test_at_most_so_many_members_are_touched_at_a_time() -> None:
    things = [A, B, C, D]
    case = {
        "wanted": {thing: {"size": 2} for thing in things},
        "state": dict.fromkeys(things),
        "rollouts": [{"members": things, "max_unavailable": 2}],
    }
    made = plan(case)
    assert _turn(made) == {f"update:{C}": (f"update:{A}",), f"update:{D}": (f"update:{B}",)}
    assert _after(made) == {f"update:{thing}": () for thing in things}


def test_letting_go_never_closes_a_circle() -> None:
    """B uses A, both stand on C. A goes, C is replaced: B can let go of A only once the new C is there."""
    on_c = f"${{{C}.address}}"
    made = plan(
        {
            "wanted": {C: {"name": "new"}, B: {"parts": {"c": on_c}}},
            "state": {
                C: None,
                A: {"depends_on": [C]},
                B: {"applied": {"parts": {"c": "10.0.0.1", "a": "10.0.0.1"}}, "depends_on": [A, C]},
            },
        }
    )
    assert _after(made) == {
        f"delete:{A}": (),
        f"delete:{C}": (f"delete:{A}",),
        f"create:{C}": (f"delete:{C}",),
        f"update:{B}": (f"create:{C}",),
    }


def test_turns_never_close_a_circle() -> None:
    """Both are replaced and B stands on A, so A cannot be done with before B is begun."""
    made = plan(
        {
            "wanted": {A: {"name": "new"}, B: {"name": "new", "_after": [A]}},
            "state": {A: None, B: {"depends_on": [A]}},
            "rollouts": [{"members": [A, B], "max_unavailable": 1}],
        }
    )
    assert _after(made) == {
        f"delete:{B}": (),
        f"delete:{A}": (f"delete:{B}",),
        f"create:{A}": (f"delete:{A}",),
        f"create:{B}": (f"create:{A}", f"delete:{B}"),
    }


def test_those_on_their_way_out_go_in_turns_and_users_before_what_they_use() -> None:
    """D stays, so the turns count; B stands on A and so goes before it, whatever the order of names."""
    made = plan(
        {
            "wanted": {D: None},
            "state": {A: None, B: {"depends_on": [A]}, C: None, D: None},
            "rollouts": [{"members": [D], "max_unavailable": 1}],
        }
    )
    assert _after(made) == {
        f"delete:{B}": (),
        f"delete:{A}": (f"delete:{B}",),
        f"delete:{C}": (),
    }
    assert _turn(made) == {f"delete:{C}": (f"delete:{A}",)}


def test_members_that_take_the_places_of_others_come_first() -> None:
    """C and D are new, A and B go: there are never fewer than before."""
    made = plan(
        {
            "wanted": {C: None, D: None},
            "state": {A: None, B: None},
            "rollouts": [{"members": [C, D], "max_unavailable": 1}],
        }
    )
    assert _after(made) == {
        f"create:{C}": (),
        f"create:{D}": (),
        f"delete:{A}": (f"create:{C}", f"create:{D}"),
        f"delete:{B}": (f"create:{C}", f"create:{D}"),
    }
    assert _turn(made) == {f"delete:{B}": (f"delete:{A}",)}


def test_records_that_name_each_other_can_be_removed() -> None:
    """The file turned a reference round, and one of the two records is older than that."""
    made = plan({"state": {A: {"depends_on": [B]}, B: {"depends_on": [A]}}, "options": {"destroy": True}})
    assert sorted(step.id for step in made.work) == [f"delete:{A}", f"delete:{B}"]


_NAMES = [f"toy.thing/{letter}" for letter in "abcdef"] + ["toy.gate/g", "toy.vault/v"]


@st.composite
def _cases(draw: st.DrawFn) -> dict[str, Any]:
    """Any mix of what is wanted, on record and found; needs point to what stands earlier in the list."""
    order = draw(st.permutations(_NAMES))
    wanted: dict[str, Any] = {}
    recorded: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for name in order:
        before = [other for other in wanted if other in wanted]
        if draw(st.booleans()):
            wanted[name] = {"_after": draw(st.lists(st.sampled_from(before), unique=True))} if before else {}
            if "gate" not in name:
                wanted[name] |= draw(st.sampled_from([{}, {"size": 2}, {"name": "new"}]))
    for name in draw(st.permutations(_NAMES)):
        if draw(st.booleans()):
            needs = draw(st.lists(st.sampled_from(list(recorded)), unique=True)) if recorded else []
            recorded[name] = {"depends_on": needs}
            if "gate" not in name:
                recorded[name]["status"] = draw(st.sampled_from(["ready", "ready", "failed", "deleting", "updating"]))
                found[name] = draw(st.sampled_from(["as-recorded", "absent", "unreachable"]))
    members = draw(st.lists(st.sampled_from(_NAMES), unique=True, min_size=1))
    return {
        "wanted": wanted,
        "state": recorded,
        "seen": found,
        "rollouts": [{"members": members, "max_unavailable": draw(st.integers(1, 3))}],
        "options": {"destroy": draw(st.booleans()), "allow": ["data-loss"]},
    }


@settings(max_examples=300, deadline=None)
@given(_cases())
def test_every_plan_can_be_done_in_the_order_it_stands_in(case: dict[str, Any]) -> None:
    made = plan(case)
    place = {step.id: index for index, step in enumerate(made.steps)}
    assert len(place) == len(made.steps)
    for step in made.steps:
        assert all(place[id_] < place[step.id] for id_ in step.after), step
    for address, raw in case["wanted"].items():
        for need in raw.get("_after", ()):
            if {f"create:{need}", f"create:{address}"} <= set(place) and not case["options"]["destroy"]:
                assert place[f"create:{need}"] < place[f"create:{address}"]
    for address, raw in case["state"].items():
        for need in raw["depends_on"]:
            if {f"delete:{need}", f"delete:{address}"} <= set(place):
                assert place[f"delete:{address}"] < place[f"delete:{need}"]
