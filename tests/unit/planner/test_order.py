"""Edges between steps: made after what is needed, removed before it, and never in a circle."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from fakes.generated import cases
from fakes.planning import plan
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.model.address import Address
from provisioner.model.plan import Plan
from provisioner.model.step import Create, Delete, Forget, Keep, Step

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


@settings(max_examples=100, deadline=None)
@given(cases())
def test_every_plan_can_be_done_in_the_order_it_stands_in(case: dict[str, Any]) -> None:
    made = plan(case)
    place = {step.id: index for index, step in enumerate(made.steps)}

    assert len(place) == len(made.steps)
    for step in made.steps:
        assert all(place[id_] < place[step.id] for id_ in (*step.after, *step.turn)), step
    for rollout in made.rollouts:
        assert all(id_ in place for turn in rollout.turns for id_ in turn)


@settings(max_examples=100, deadline=None)
@given(cases())
def test_what_is_made_comes_after_what_it_needs(case: dict[str, Any]) -> None:
    steps = list(enumerate(plan(case).steps))
    last = {step.address: index for index, step in steps if _makes(step)}
    first = {step.address: index for index, step in reversed(steps) if _makes(step)}
    for address, raw in case["wanted"].items():
        for need in map(Address.parse, raw.get("_after", ())):
            if need in last and Address.parse(address) in first:
                assert last[need] < first[Address.parse(address)]


@settings(max_examples=100, deadline=None)
@given(cases())
def test_what_is_removed_goes_after_all_that_stands_on_it(case: dict[str, Any]) -> None:
    """On record, that is; and what was deposed goes after its successor is there."""
    steps = plan({**case, "moved": []}).steps
    gone = {str(step.address): index for index, step in enumerate(steps) if isinstance(step, Delete) and _own(step)}
    for address, raw in case["state"].items():
        for need in raw["depends_on"]:
            assert not {address, need} <= gone.keys() or gone[address] < gone[need]
    made = {step.address: index for index, step in enumerate(steps) if isinstance(step, Create)}
    for index, step in enumerate(steps):
        if isinstance(step, Delete) and step.deposed and step.replaced:
            assert made[step.address] < index


@settings(max_examples=100, deadline=None)
@given(cases())
def test_what_was_deposed_goes_after_all_that_uses_it(case: dict[str, Any]) -> None:
    """By the file; but what it was made on may have to be removed first, for that to be made anew."""
    steps = plan({**case, "moved": []}).steps
    removed = {step.address for step in steps if isinstance(step, Delete) and not step.deposed}
    last = {step.address: index for index, step in enumerate(steps) if _makes(step)}
    for index, step in enumerate(steps):
        for address, raw in case["wanted"].items() if isinstance(step, Delete) and step.replaced else ():
            free = removed.isdisjoint(_stands_on(case, step.address))
            if step.deposed and free and str(step.address) in raw.get("_after", ()):
                assert last.get(Address.parse(address), -1) < index


def _stands_on(case: dict[str, Any], address: Address) -> set[Address]:
    """What an object was made on, by what is on record, and what that was made on in turn."""
    found: set[Address] = set()
    stack = [str(address)]
    while stack:
        raw = case["state"].get(stack.pop()) or {}
        stack += [need for need in raw.get("depends_on", ()) if Address.parse(need) not in found]
        found |= {Address.parse(need) for need in raw.get("depends_on", ())}
    return found


def _makes(step: Step) -> bool:
    return not isinstance(step, Keep | Delete | Forget)


def _own(step: Delete) -> bool:
    """Whether it removes what is on record in the cases generated, not what was deposed before."""
    return step.generation == 3


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(["update", "delete first", "create first", "leaves", "new", "dead", "gone"])), st.data()
)
def test_members_are_never_in_work_together_beyond_what_the_rollout_allows(
    whats: list[str], data: st.DataObject
) -> None:
    """Whatever order the steps that may run are begun and ended in.

    Whoever is down counts until its turn is over, so that no more of the others are disturbed meanwhile.
    """
    wanted: dict[str, Any] = {"toy.thing/stays": None}
    for index, what in enumerate(whats):
        props = {"update": {"size": 2}, "delete first": {"name": "x"}, "dead": {"name": "x"}, "new": {}, "gone": {}}
        if what != "leaves":
            wanted[f"toy.thing/m{index}"] = props.get(what, {"name": "x", "_replace": "create_first"})
    recorded = {f"toy.thing/m{index}": None for index, what in enumerate(whats) if what != "new"}
    at_once = data.draw(st.integers(1, 3))
    members = [name for name in wanted if name != "toy.thing/stays"] or ["toy.thing/stays"]
    rollout = {"members": members, "max_unavailable": at_once, "after_each": data.draw(st.sampled_from([None, {}]))}
    found = {"dead": "unreachable", "gone": "absent"}
    seen = {f"toy.thing/m{index}": found[what] for index, what in enumerate(whats) if what in found}
    recorded["toy.thing/stays"] = None
    made = plan({"wanted": wanted, "state": recorded, "seen": seen, "rollouts": [rollout]})
    turns = [set(turn) for rollout in made.rollouts for turn in rollout.turns]
    down = [turn for turn in turns if any(id_.partition(":")[2] in seen for id_ in turn)]

    for done, _ in _runs(made, data):
        begun = [turn for turn in turns if turn & done and not turn <= done]
        assert len(begun) <= at_once
        if any(turn not in down for turn in begun):
            assert len(begun) + sum(1 for turn in down if not turn & done) <= at_once


def _runs(made: Plan, data: st.DataObject) -> Iterator[tuple[set[str], str]]:
    """What is done after each step of a run, that takes any step whose time has come."""
    done: set[str] = set()
    left = {step.id: {*step.after, *step.turn} for step in made.work}
    while left:
        ready = sorted(id_ for id_, others in left.items() if others <= done)
        id_ = data.draw(st.sampled_from(ready))
        del left[id_]
        done.add(id_)
        yield done, id_


def test_a_long_chain_is_planned_like_a_short_one() -> None:
    """Nothing here goes down a chain by calling itself."""
    names = [f"toy.thing/t{index:04}" for index in range(3000)]
    needs = {name: [before] for before, name in itertools.pairwise(names)}
    wanted = {name: {"name": "new", "_after": needs.get(name, [])} for name in names}
    recorded = {name: {"depends_on": needs.get(name, [])} for name in reversed(names)}
    made = plan({"wanted": wanted, "state": recorded})
    assert [step.address.name for step in made.steps[:3000]] == [f"t{index:04}" for index in reversed(range(3000))]
    assert [step.address.name for step in made.steps[3000:]] == [f"t{index:04}" for index in range(3000)]
