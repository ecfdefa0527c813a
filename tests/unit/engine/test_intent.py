"""What is put on record before and after a call."""

from __future__ import annotations

import pytest
from attrs import evolve
from fakes.toy import ThingKind, ThingOutputs

from provisioner.engine.intent import intended, opened, pending, reached, refused
from provisioner.errors import Fatal
from provisioner.model.address import Address
from provisioner.model.functions import CORE
from provisioner.model.job import Pending
from provisioner.model.state import Drop, Entry, Put, Status
from provisioner.model.step import Check, Create, Delete, Update
from provisioner.model.value import Call, Origin, Ref, Secret, Sourced, Unknown, Value

A, B = Address("toy.thing", "a"), Address("toy.thing", "b")
KIND = ThingKind()
READY = Entry(
    A,
    3,
    "toy",
    "old-key",
    Status.READY,
    id="toy-1",
    applied={"name": "a", "size": 1, "label": "first", "seed": "sha256:x", "token": None, "parts": {}, "note": ""},
    outputs={"id": "toy-1"},
    error="an old one",
)
CREATE = Create(address=A, provider="toy", generation=4, wanted={"name": "a"}, depends_on=(B,), protect=True)
_EMPTY = {"label": "", "token": None, "parts": {}, "note": "", "seed": None, "host": "", "at": ""}
PROPS: dict[str, Value] = {"name": "a", "size": 2, **_EMPTY}


def _lookup(ref: Ref) -> Value:
    return {"id": "toy-b", "password": Secret("hunter2")}.get(ref.output, Unknown(str(ref.to)))


def _intended(**wanted: Value) -> dict[str, Value]:
    return intended(wanted, KIND, _lookup, CORE)


# props


def test_the_props_of_a_call_are_resolved_complete_and_without_origins() -> None:
    found = _intended(
        name=Call("concat", ("x-", Ref(B, "id"))), size=Sourced(2, Origin("f", 1)), token=Ref(B, "password")
    )
    expected = {**PROPS, "name": "x-toy-b", "size": 2, "token": Secret("hunter2")}
    assert expected == found


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"name": "a", "parts": {"x": (Ref(B, "lost"),)}}, "parts.x.0 waits for toy.thing/b"),
        ({"name": Ref(B, "lost")}, "name waits for toy.thing/b"),
        ({"name": "a", "size": Ref(B, "id")}, "size must be a whole number"),
        ({}, "name is required"),
    ],
)
def test_props_that_cannot_be_used_are_refused_before_any_call(wanted: dict[str, Value], words: str) -> None:
    with pytest.raises(Fatal) as caught:
        _intended(**wanted)
    assert words in caught.value.detail
    assert not caught.value.effect


# before the call


def test_a_new_thing_gets_a_key_of_its_own() -> None:
    first, second = opened(CREATE, None, PROPS), opened(CREATE, None, PROPS)
    assert first.key != second.key
    expected = Entry(A, 4, "toy", first.key, Status.CREATING, intended=PROPS, depends_on=(B,), protect=True)
    assert expected == first


def test_making_anew_what_is_gone_takes_nothing_over_from_the_old_one() -> None:
    fresh = opened(CREATE, READY, PROPS)
    assert fresh == Entry(A, 4, "toy", fresh.key, Status.CREATING, intended=PROPS, depends_on=(B,), protect=True)
    assert fresh.key != "old-key"


def test_a_creation_in_flight_goes_on_with_its_key_its_phase_and_its_values() -> None:
    flying = evolve(READY, generation=4, status=Status.CREATING, phase="booting", intended={"name": "a", "size": 1})
    assert flying == opened(CREATE, flying, PROPS)


def test_a_change_keeps_key_id_and_what_was_applied() -> None:
    update = Update(address=A, provider="toy", wanted={}, changes=(), depends_on=(B,), protect=True)
    expected = evolve(READY, status=Status.UPDATING, intended=PROPS, depends_on=(B,), protect=True, error="")
    assert expected == opened(update, READY, PROPS)


def test_a_removal_keeps_everything_and_notes_its_manner() -> None:
    delete = Delete(address=A, provider="toy", how="leave")
    assert evolve(READY, status=Status.DELETING, how="leave", error="") == opened(delete, READY, {})


def test_a_removal_in_flight_goes_on_from_its_phase() -> None:
    flying = evolve(READY, status=Status.DELETING, how="leave", phase="draining", memo={"x": "1"})
    assert flying == opened(Delete(address=A, provider="toy", how="leave"), flying, {})


def test_a_removal_in_flight_that_is_planned_in_another_manner_takes_that_one() -> None:
    flying = evolve(READY, status=Status.DELETING, how="leave")
    assert opened(Delete(address=A, provider="toy", how="teardown"), flying, {}).how == "teardown"


def test_a_gate_is_recorded_as_passed_only() -> None:
    gate = Address("toy.gate", "up")
    fresh = opened(Check(address=gate, provider="toy", wanted={}, depends_on=(A,)), None, {"watches": {}})
    assert fresh == Entry(gate, 1, "toy", fresh.key, Status.READY, intended={"watches": {}}, depends_on=(A,))


# after the call


def test_a_finished_creation_is_ready_with_its_outputs_and_no_trace_of_the_work() -> None:
    flying = Entry(
        A, 1, "toy", "k", Status.CREATING, phase="booting", memo={"x": "1"}, intended={**PROPS, "seed": Secret("s")}
    )
    change = reached(flying, KIND, ThingOutputs("toy-7", "10.0.0.7", 1, Secret("pw")))
    assert isinstance(change, Put)
    entry = change.entry
    assert (entry.status, entry.id, entry.phase, entry.memo, entry.intended) == (Status.READY, "toy-7", "", {}, {})
    assert {"id": "toy-7", "address": "10.0.0.7", "revision": 1, "password": Secret("pw")} == entry.outputs
    assert str(entry.applied["seed"]).startswith("sha256:")
    assert {**entry.applied, "seed": None} == {**PROPS, "seed": None}


def test_a_change_in_place_leaves_on_record_what_the_thing_was_made_with() -> None:
    """Its birth is past: the values that were used then stay, whatever the file says by now."""
    flying = evolve(READY, status=Status.UPDATING, intended={**PROPS, "label": "second", "seed": Secret("other")})
    change = reached(flying, KIND, ThingOutputs("toy-1", "10.0.0.1", 2))
    assert isinstance(change, Put)
    assert change.entry.applied == {**PROPS, "label": "first", "seed": "sha256:x"}


def test_a_finished_removal_drops_the_record() -> None:
    assert Drop(A, READY.generation) == reached(evolve(READY, status=Status.DELETING), KIND, None)


def test_a_checkpoint_keeps_an_id_that_is_known_already() -> None:
    flying = evolve(READY, status=Status.CREATING)
    assert evolve(flying, phase="two", memo={"task": "9"}) == pending(
        flying, Pending(phase="two", memo={"task": "9"})
    )
    assert pending(flying, Pending(id="toy-2")).id == "toy-2"


def test_a_refused_creation_without_effect_leaves_nothing() -> None:
    flying = Entry(A, 1, "toy", "k", Status.CREATING, intended=PROPS)
    assert (Drop(A, 1),) == refused(flying, None, Fatal("no", effect=False))


def test_a_refused_creation_without_effect_brings_the_old_record_back() -> None:
    flying = Entry(A, 4, "toy", "k", Status.CREATING, intended=PROPS)
    assert (Drop(A, 4), Put(READY)) == refused(flying, READY, Fatal("no", effect=False))


def test_a_refused_creation_that_may_have_had_an_effect_is_failed_with_its_reason() -> None:
    flying = Entry(A, 1, "toy", "k", Status.CREATING, phase="booting", intended=PROPS)
    failed = evolve(flying, status=Status.FAILED, error="no room", phase="")
    assert (Put(failed),) == refused(flying, None, Fatal("no room"))


def test_a_refused_change_leaves_the_thing_as_it_was_applied() -> None:
    flying = evolve(READY, status=Status.UPDATING, intended=PROPS, phase="x", error="")
    assert (Put(evolve(READY, error="no")),) == refused(flying, READY, Fatal("no"))


def test_a_refused_removal_stays_a_removal() -> None:
    flying = evolve(READY, status=Status.DELETING, how="leave", error="")
    change = refused(flying, READY, Fatal("no"))
    assert change == (Put(evolve(flying, error="no")),)
