"""A plan as a file: the same plan again, worthless elsewhere, refused once it is stale."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve
from fakes.generated import cases
from fakes.planning import plan, state
from fakes.sealing import PlainSeal
from hypothesis import given, settings

from provisioner.errors import Place, PlanRefused, Problem, StateError
from provisioner.model.address import Address
from provisioner.model.plan import Base, Plan, ProviderUse
from provisioner.model.rollout import Rollout, Watch
from provisioner.model.state import Entry, Move, State, Status
from provisioner.model.step import Adopt, Check, Create, Delete, Forget, Keep, Run, Step, Update
from provisioner.model.value import Call, Origin, Ref, Secret, Sourced, Value
from provisioner.planner.planfile import plan_bytes, read_plan
from provisioner.planner.stale import stale

A, B, C, D, E, F = (Address("toy.thing", name) for name in "abcdef")
IMAGE = Address("toy.image", "base")
SEAL = PlainSeal()
WANTED: dict[str, Value] = {
    "name": Sourced("a", Origin("cluster.yaml", 7)),
    "token": Secret("hunter2"),
    "url": Call("concat", ("https://", Ref(B, "address"))),
}
PLAN = Plan(
    cluster="demo",
    steps=(
        Create(
            address=A,
            provider="toy",
            generation=2,
            after=("delete:toy.thing/a",),
            reasons=("why",),
            wanted=WANTED,
            depends_on=(B,),
            protect=True,
            replaces=True,
        ),
        Update(address=B, provider="toy", wanted={"size": 2}, changes=(), consequence="restarts it"),
        Delete(address=C, provider="toy", how="leave", replaced=True, consequence="is emptied"),
        Forget(address=D, provider="toy", reasons=("gone",)),
        Check(address=E, provider="toy", wanted={"watches": {"a": Ref(A, "id")}}, depends_on=(A,)),
        Keep(address=F, provider="toy"),
    ),
    base=Base("L", 7, "sha256:spec", {"toy": "1.0"}),
    providers={"toy": ProviderUse("toy", "toy", {"place": "here", "password": Secret("settings-secret")})},
    refreshed=False,
    bindings={"contract": "1.13"},
    outputs={"api": Ref(A, "address"), "secret": Secret("output-secret")},
    outputs_changed=True,
)


def _entry(address: Address, serial: int = 7) -> Entry:
    return Entry(address, 1, "toy", f"key-{address.name}", Status.READY, serial=serial)


def _state(*entries: Entry, lineage: str = "L") -> State:
    return State("demo", lineage, 9, {entry.address: entry for entry in entries})


STANDING = _state(*map(_entry, (B, C, D, F)))


def test_a_plan_comes_back_with_every_step_that_does_something() -> None:
    found = read_plan(plan_bytes(PLAN, SEAL), SEAL)
    assert found == evolve(PLAN, steps=PLAN.steps[:-1])


def test_equal_plans_make_equal_files() -> None:
    assert plan_bytes(PLAN, SEAL) == plan_bytes(evolve(PLAN), SEAL)


@pytest.mark.parametrize("hidden", [b"hunter2", b"settings-secret", b"output-secret"])
def test_no_secret_stands_in_the_file(hidden: bytes) -> None:
    assert hidden not in plan_bytes(PLAN, SEAL)


def test_a_file_that_was_edited_is_noticed() -> None:
    raw = json.loads(plan_bytes(PLAN, SEAL))
    raw["body"]["steps"] = raw["body"]["steps"][1:]
    with pytest.raises(PlanRefused, match="altered"):
        read_plan(json.dumps(raw).encode(), SEAL)


@pytest.mark.parametrize("steps", [PLAN.steps, PLAN.steps[2:4]])
def test_an_edited_file_is_noticed_also_when_its_digest_was_made_to_fit(steps: tuple[Step, ...]) -> None:
    """With secrets among the steps and without; nor does the seal of another plan help."""
    plan, other = evolve(PLAN, steps=steps), evolve(PLAN, steps=steps, cluster="other")
    raw, fitting = json.loads(plan_bytes(plan, SEAL)), json.loads(plan_bytes(other, SEAL))
    with pytest.raises(PlanRefused, match="altered"):
        read_plan(json.dumps({**fitting, "seal": raw["seal"]}).encode(), SEAL)
    with pytest.raises(PlanRefused, match="another key"):
        read_plan(json.dumps({**raw, "seal": raw["seal"][1:]}).encode(), SEAL)


def test_a_file_that_was_only_laid_out_anew_is_the_same_plan() -> None:
    raw = json.loads(plan_bytes(PLAN, SEAL))
    assert read_plan(json.dumps(raw, indent=2).encode(), SEAL) == read_plan(plan_bytes(PLAN, SEAL), SEAL)


@pytest.mark.parametrize(
    "raw", [b"", b"garbage", b"[]", b"null", b"3", b"{}", b"\xff\xfe", b'{"prov_plan": 1}', b'"text"']
)
def test_what_is_no_plan_is_refused(raw: bytes) -> None:
    with pytest.raises(PlanRefused, match="not a plan") as caught:
        read_plan(raw, SEAL)
    assert "prov plan --out" in caught.value.remedy


def test_a_plan_of_another_format_is_refused() -> None:
    raw = json.loads(plan_bytes(PLAN, SEAL))
    with pytest.raises(PlanRefused, match="another version"):
        read_plan(json.dumps({**raw, "prov_plan": 99}).encode(), SEAL)


def test_a_plan_made_for_another_state_is_refused_as_such() -> None:
    """Whether anything secret is in it or not."""

    class Stranger(PlainSeal):
        def open(self, sealed: str, bound: str) -> str:
            raise StateError("a sealed value does not open")

    bare = evolve(PLAN, steps=PLAN.steps[2:4], providers={}, outputs={})
    for one in (PLAN, bare):
        with pytest.raises(PlanRefused, match="another key"):
            read_plan(plan_bytes(one, SEAL), Stranger())


def test_a_blocked_plan_never_becomes_a_file() -> None:
    blocked = evolve(PLAN, problems=(Problem("protected", "no", "x", Place(), "y"),))
    with pytest.raises(PlanRefused):
        plan_bytes(blocked, SEAL)


def test_a_fresh_plan_is_not_stale() -> None:
    assert stale(PLAN, STANDING, {"toy": "1.0"}) == ""


def test_a_plan_that_went_through_a_file_is_not_stale_either() -> None:
    assert stale(read_plan(plan_bytes(PLAN, SEAL), SEAL), STANDING, {"toy": "1.0"}) == ""


@pytest.mark.parametrize(
    ("state", "versions", "why"),
    [
        (evolve(STANDING, lineage="M"), {"toy": "1.0"}, "another state"),
        (STANDING, {"toy": "1.1"}, "toy was 1.0 then and is 1.1 now"),
        (STANDING, {}, "not installed"),
        (_state(_entry(B, 8), *map(_entry, (C, D, F))), {"toy": "1.0"}, "toy.thing/b has changed"),
        (_state(*map(_entry, (B, D, F)), _entry(C, 8)), {"toy": "1.0"}, "toy.thing/c has changed"),
        (_state(*map(_entry, (B, C, F)), _entry(D, 8)), {"toy": "1.0"}, "toy.thing/d has changed"),
        (_state(*map(_entry, (C, D, F))), {"toy": "1.0"}, "toy.thing/b is gone"),
        (_state(*map(_entry, (B, D, F))), {"toy": "1.0"}, "toy.thing/c is gone"),
        (_state(*map(_entry, (B, C, D, F)), _entry(A, 8)), {"toy": "1.0"}, "toy.thing/a has changed"),
    ],
)
def test_a_plan_is_stale_once_what_it_touches_has_moved(state: State, versions: dict[str, str], why: str) -> None:
    assert why in stale(PLAN, state, versions)


def test_what_the_plan_does_not_touch_may_move() -> None:
    moved = _state(*map(_entry, (B, C, D)), _entry(F, 9), _entry(Address("toy.thing", "z"), 9))
    assert stale(PLAN, moved, {"toy": "1.0"}) == ""


def test_what_a_step_refers_to_and_no_step_makes_may_not_move() -> None:
    """A kept resource is in no step of a file, but its outputs go into what is made."""
    plan = read_plan(plan_bytes(evolve(PLAN, steps=(PLAN.steps[0], PLAN.steps[-1])), SEAL), SEAL)
    assert stale(plan, _state(_entry(B)), {"toy": "1.0"}) == ""
    assert "toy.thing/b has changed" in stale(plan, _state(_entry(B, 8)), {"toy": "1.0"})
    assert "toy.thing/b is gone" in stale(plan, _state(), {"toy": "1.0"})


@settings(max_examples=100, deadline=None)
@given(cases())
def test_any_plan_comes_back_from_its_file_whole(case: dict[str, Any]) -> None:
    made = evolve(plan(case), problems=())

    found = read_plan(plan_bytes(made, SEAL), SEAL)
    assert found == evolve(made, steps=made.work, unfinished=())
    assert plan_bytes(found, SEAL) == plan_bytes(made, SEAL)
    assert stale(found, state(case), {"toy": "1.0"}) == ""


LEFT = evolve(_entry(A), generation=1, deposed=True)
LIFE = evolve(
    PLAN,
    steps=(
        Adopt(address=E, provider="toy", remote="t-1", wanted={}),
        Update(address=E, provider="toy", wanted={"image": Ref(IMAGE, "id")}, changes=(), after=(f"adopt:{E}",)),
        Delete(address=A, provider="toy", part="1", deposed=True),
        Run(address=C, provider="toy", part="drain", action="drain"),
        Check(address=Address("toy.gate", "fleet"), provider="toy", part="before", wanted={}),
    ),
    moves=(Move(B, C),),
    found={IMAGE: {"id": "img-1", "pass": Secret("found-secret")}},
    rollouts=(Rollout((C,), 1, "why", before=Watch("toy.gate", "toy", {"token": Secret("watch-secret")})),),
)
LIVING = evolve(_state(_entry(B)), deposed={(A, 1): LEFT})


def test_what_lookups_answered_and_rollouts_watch_is_sealed_too() -> None:
    raw = plan_bytes(LIFE, SEAL)

    assert b"found-secret" not in raw
    assert b"watch-secret" not in raw
    assert read_plan(raw, SEAL) == LIFE


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (LIVING, ""),
        (evolve(LIVING, deposed={}), "toy.thing/a is gone"),
        (evolve(LIVING, deposed={(A, 1): evolve(LEFT, serial=8)}), "toy.thing/a has changed"),
        (evolve(LIVING, deposed={(A, 2): LEFT}), "toy.thing/a is gone"),
        (evolve(LIVING, entries={A: _entry(A)}), "toy.thing/b is gone"),
        (evolve(LIVING, entries={B: _entry(B, 8)}), "toy.thing/c has changed"),
        (evolve(LIVING, entries={B: _entry(B), C: _entry(C)}), "toy.thing/c is on record"),
        (evolve(LIVING, entries={B: _entry(B), E: _entry(E, 8)}), "toy.thing/e has changed"),
    ],
)
def test_a_plan_is_stale_once_what_it_moves_removes_or_takes_over_is_another(state: State, why: str) -> None:
    """What it moves is on record under the old address still."""
    assert stale(LIFE, state, {"toy": "1.0"}).startswith(why)
    assert bool(stale(LIFE, state, {"toy": "1.0"})) == bool(why)
