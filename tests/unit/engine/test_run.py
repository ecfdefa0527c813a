"""A run: order, records before and after every call, failures and stops, on a real state file."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from attrs import evolve
from fakes.bench import Bench
from fakes.toy import ThingProps
from fakes.trial import Trial

from provisioner.engine.apply import Engine, RunResult
from provisioner.errors import Fatal, OperatorNeeded, Retry
from provisioner.model.address import Address
from provisioner.model.event import (
    RunEnded,
    RunStarted,
    StepDone,
    StepFailed,
    StepProgress,
    StepSkipped,
    StepStarted,
    Stopping,
)
from provisioner.model.job import Done, Job, Pending
from provisioner.model.resource import Absent, Seen
from provisioner.model.state import Entry, Status
from provisioner.model.step import Check
from provisioner.model.value import Secret

A, B, C, D = (f"toy.thing/{name}" for name in "abcd")
GATE = "toy.gate/up"
OTHER = Address("toy.thing", "other")
GUARD = Check(address=Address("toy.gate", "g"), provider="toy", part="before", wanted={"watches": {}})


def _flying(status: Status, **fields: Any) -> Entry:
    props = {"name": "a", "size": 2, "label": "", "token": None, "parts": {}, "note": "", "seed": None}
    return evolve(Entry(Address.parse(A), 1, "toy", "key-a", status, intended=props), **fields)


# order


def test_everything_is_made_and_on_record(bench: Bench) -> None:
    result = bench.apply({A: {"size": 2}, B: {"parts": {"at": f"${{{A}.address}}"}}})
    assert result == RunResult(2, 0, 0, 0)
    assert result.complete
    assert bench.cloud.names() == ["a", "b"]
    assert bench.status() == {A: "ready", B: "ready"}
    assert bench.entry(B).applied["parts"] == {"at": "10.0.0.1"}
    assert bench.entry(B).depends_on == (Address.parse(A),)
    assert bench.plan({A: {"size": 2}, B: {"parts": {"at": f"${{{A}.address}}"}}}).empty


def test_a_step_begins_only_after_those_it_needs(bench: Bench) -> None:
    bench.cloud.script("create", "a", Pending(after_s=0.01), Pending(after_s=0.01))
    bench.apply({A: None, B: {"_after": [A]}, C: {"_after": [B]}})
    assert bench.cloud.called("create") == ["a", "a", "a", "b", "c"]


def test_what_does_not_wait_for_each_other_is_called_at_the_same_time(bench: Bench) -> None:
    together = threading.Barrier(3, timeout=60)

    def meet(job: Job[Any, Any]) -> None:
        together.wait()

    for name in "abc":
        bench.cloud.script("create", name, meet)
    assert bench.apply({A: None, B: None, C: None}).complete


def test_a_pending_step_holds_no_thread(bench: Bench) -> None:
    """More steps are pending than there are threads, and none of them ends before all have been begun."""
    names = [f"n{index}" for index in range(100)]

    def until_all_are_there(job: Job[Any, Any]) -> Pending | None:
        return Pending(after_s=0.3) if len(bench.cloud.things) < len(names) else None

    for name in names:
        bench.cloud.script("create", name, Pending(after_s=0.3), *[until_all_are_there] * 1000)
    assert bench.apply({f"toy.thing/{name}": None for name in names}).complete


def test_a_replacement_removes_first_and_makes_another_with_a_new_key(bench: Bench) -> None:
    bench.apply({A: None})
    before = bench.entry(A)
    bench.apply({A: {"name": "other"}})
    after = bench.entry(A)
    assert bench.cloud.calls == [("create", "a"), ("delete", "a"), ("create", "a")]
    assert [before.key] != list(bench.cloud.things)
    assert (after.generation, after.key) == (2, next(iter(bench.cloud.things)))


def test_users_are_removed_before_what_they_use(bench: Bench) -> None:
    bench.apply({A: None, B: {"_after": [A]}, GATE: {"_after": [B]}, C: {"_after": [GATE]}})
    result = bench.apply({}, options={"destroy": True})
    assert result.complete
    assert bench.cloud.called("delete") == ["c", "b", "a"]
    assert bench.status() == {}
    assert bench.cloud.names() == []


def test_a_gate_holds_back_what_waits_for_it_and_is_on_record_once_passed(bench: Bench) -> None:
    order: list[str] = []
    bench.cloud.shut.add("up")

    def open_it(job: Job[Any, Any]) -> None:
        order.append("gate is asked again")
        bench.cloud.shut.clear()

    bench.cloud.script("check", "up", lambda job: order.append("gate is asked"), open_it)
    bench.cloud.script("create", "b", lambda job: order.append("b is made"))
    bench.apply({A: None, GATE: {"watches": {"a": f"${{{A}.id}}"}}, B: {"_after": [GATE]}})
    assert order == ["gate is asked", "gate is asked again", "b is made"]
    assert bench.entry(GATE).applied == {"watches": {"a": "toy-1"}}
    assert bench.entry(GATE).status is Status.READY


def test_a_gate_that_does_not_pass_is_not_on_record(bench: Bench) -> None:
    bench.cloud.shut.add("up")
    result = bench.apply({GATE: None, A: {"_after": [GATE]}}, deadline_s=0.05)
    assert result == RunResult(0, 1, 1, 0)
    assert bench.status() == {}


# records


def test_the_intent_is_on_record_before_the_call(bench: Bench) -> None:
    found: list[Entry] = []
    bench.cloud.script("create", "a", lambda job: found.append(bench.entry(A)))
    bench.apply({A: {"size": 2, "token": "secret:hunter2"}})
    (entry,) = found
    assert entry.status is Status.CREATING
    assert entry.key == bench.cloud.jobs[0].key
    assert entry.intended["size"] == 2
    assert entry.intended["token"] == Secret("hunter2")


def test_the_intent_of_a_change_and_of_a_removal_is_on_record_before_the_call(bench: Bench) -> None:
    found: list[tuple[str, Any]] = []
    bench.apply({A: {"size": 1}})
    bench.cloud.script("update", "a", lambda job: found.append((bench.status()[A], bench.entry(A).intended["size"])))
    bench.apply({A: {"size": 2}})
    bench.cloud.script("delete", "a", lambda job: found.append((bench.status()[A], bench.entry(A).applied["size"])))
    bench.apply({})
    assert found == [("updating", 2), ("deleting", 2)]


def test_a_checkpoint_is_on_record_before_the_next_call_which_is_given_it(bench: Bench) -> None:
    found: list[Entry] = []
    bench.cloud.script(
        "create",
        "a",
        Pending(id="x-1", phase="one", memo={"task": "7"}, after_s=0.01),
        lambda job: found.append(bench.entry(A)),
    )
    bench.apply({A: None})
    (entry,), job = found, bench.cloud.jobs[1]
    assert (entry.status, entry.id, entry.phase, entry.memo) == (Status.CREATING, "x-1", "one", {"task": "7"})
    assert (job.id, job.phase, job.memo, job.key) == ("x-1", "one", {"task": "7"}, entry.key)
    assert bench.entry(A).phase == ""


def test_a_result_is_on_record_before_what_needs_it_begins(bench: Bench) -> None:
    found: list[str] = []
    bench.cloud.script("create", "b", lambda job: found.append(bench.status()[A]))
    bench.apply({A: None, B: {"_after": [A]}})
    assert found == ["ready"]


def test_a_job_tells_what_is_wanted_applied_and_recorded(bench: Bench) -> None:
    bench.apply({A: {"size": 1}})
    bench.apply({A: {"size": 2}})
    bench.apply({})
    create, update, delete = bench.cloud.jobs
    assert (create.wanted, create.outputs) == (ThingProps("a", 1), None)
    assert (update.wanted, update.applied) == (ThingProps("a", 2), ThingProps("a", 1))
    assert update.outputs.id == "toy-1"
    assert (delete.wanted, delete.applied) == (None, ThingProps("a", 2))
    assert {job.lineage for job in bench.cloud.jobs} == {bench.state().lineage}
    assert len({job.key for job in bench.cloud.jobs}) == 1


def test_the_planned_manner_of_a_removal_reaches_the_kind(bench: Bench) -> None:
    bench.apply({"toy.vault/v": None})
    bench.apply({})
    assert bench.cloud.jobs[-1].how == "empty"


def test_taking_protection_off_is_one_step_and_then_the_thing_can_go(bench: Bench) -> None:
    bench.apply({A: {"_protect": True}})
    assert bench.plan({}).blocked
    bench.apply({A: None})
    assert bench.plan({A: None}).empty
    assert bench.apply({}).complete
    assert bench.cloud.names() == []


# polling


def test_pending_steps_of_a_kind_that_are_due_together_are_read_together() -> None:
    """On a clock that stands still while calls are made."""
    trial = Trial()
    names = [f"n{index:02}" for index in range(50)]
    for name in names:
        trial.cloud.script("create", name, Pending(after_s=0.2), Pending(after_s=0.2))
    trial.apply({f"toy.thing/{name}": None for name in names})
    assert [sorted(read) for read in trial.cloud.reads] == [names, names]


def test_what_was_read_reaches_the_verb(bench: Bench) -> None:
    bench.cloud.script("create", "a", Pending(after_s=0.01))
    bench.apply({A: {"size": 3}})
    first, second = bench.cloud.jobs
    assert first.seen is None
    assert isinstance(second.seen, Seen)
    assert second.seen.props["size"] == 3


def test_a_read_that_fails_is_unreachable_to_the_verb_and_never_absent(bench: Bench) -> None:
    bench.cloud.read_fault = ValueError("hunter2")
    bench.cloud.script("create", "a", Pending(after_s=0.01))
    assert bench.apply({A: None}).complete
    seen = bench.cloud.jobs[1].seen
    assert not isinstance(seen, Seen | Absent)
    assert "hunter2" not in repr(seen)


def test_polling_starts_faster_than_asked_for() -> None:
    trial = Trial()
    trial.cloud.script("create", "a", Pending(after_s=60.0))
    trial.apply({A: {}})
    assert trial.cloud.names() == ["a"]
    assert trial.seconds < 1.0


def test_a_retry_is_not_called_again_before_its_time() -> None:
    trial = Trial()
    moments: list[float] = []

    def busy(job: Job[Any, Any]) -> None:
        moments.append(trial.executor.seconds)
        raise Retry("busy", after_s=0.4)

    trial.cloud.script("create", "a", busy, lambda job: moments.append(trial.executor.seconds))
    trial.apply({A: {}})
    assert trial.cloud.names() == ["a"]
    assert moments[1] - moments[0] >= 0.4


# failures


def test_a_retry_goes_on_until_it_passes(bench: Bench) -> None:
    bench.cloud.script("create", "a", *[Retry("busy", after_s=0.01) for _ in range(5)])
    assert bench.apply({A: None}).complete
    assert bench.cloud.called("create") == ["a"] * 6
    assert [event.note for event in bench.told(StepProgress)] == ["busy"]


def test_a_retry_ends_at_the_deadline_and_the_work_stays_on_record(bench: Bench) -> None:
    bench.cloud.script("create", "a", *[Retry("busy", after_s=0.01) for _ in range(1000)])
    result = bench.apply({A: None, B: {"_after": [A]}}, deadline_s=0.2)
    assert result == RunResult(0, 1, 1, 0)
    assert bench.status() == {A: "creating"}
    (failed,) = bench.told(StepFailed)
    assert failed.summary == "a step did not finish in time"
    assert "busy" in failed.detail


def test_a_kind_that_knows_it_takes_long_is_given_the_time(bench: Bench) -> None:
    """The limit of a step is a net below kinds that say nothing."""
    bench.cloud.script("create", "s", *[Retry("boots", after_s=0.1) for _ in range(4)])
    assert bench.apply({"toy.server/s": None}, deadline_s=0.05).complete
    assert bench.cloud.called("create") == ["s"] * 5


def test_what_a_verb_derives_comes_from_the_state(bench: Bench) -> None:
    """Calls that make something derive what the store derives; those that look derive nothing."""
    found: list[str] = []

    def derive(run: Engine) -> RunResult:
        found.append(run._calls._context("key", lambda note: None).derive("a purpose"))
        return run.apply(())

    bench.run(derive)
    assert found == [bench.store().derive("a purpose")]


def test_a_fatal_error_without_effect_leaves_no_record(bench: Bench) -> None:
    bench.cloud.script("create", "a", Fatal("refused", effect=False))
    assert bench.apply({A: None}) == RunResult(0, 1, 0, 0)
    assert bench.status() == {}


def test_a_fatal_error_with_effect_is_on_record_and_made_anew_next_time(bench: Bench) -> None:
    bench.cloud.script("create", "a", Pending(after_s=0.01), Fatal("refused", effect=True))
    assert bench.apply({A: None}) == RunResult(0, 1, 0, 0)
    assert bench.status() == {A: "failed"}
    assert bench.entry(A).error == "refused"
    assert bench.apply({A: None}).complete
    assert bench.cloud.calls[-2:] == [("delete", "a"), ("create", "a")]
    assert len(bench.cloud.things) == 1
    assert bench.status() == {A: "ready"}


def test_a_failure_skips_what_depends_on_it_and_nothing_else(bench: Bench) -> None:
    bench.cloud.script("create", "a", OperatorNeeded("no quota", detail="0 left", remedy="ask for more"))
    result = bench.apply({A: None, B: {"_after": [A]}, C: {"_after": [B]}, D: None})
    assert result == RunResult(1, 1, 2, 0)
    assert not result.complete
    assert bench.cloud.names() == ["d"]
    (failed,) = bench.told(StepFailed)
    assert (failed.address, failed.summary, failed.detail, failed.remedy) == (A, "no quota", "0 left", "ask for more")
    assert {(e.address, e.because) for e in bench.told(StepSkipped)} == {(B, f"create:{A}"), (C, f"create:{A}")}


def test_what_needs_an_operator_goes_on_in_the_next_run_with_the_same_key(bench: Bench) -> None:
    bench.cloud.script("create", "a", Pending(phase="half", after_s=0.01), OperatorNeeded("no quota"))
    bench.apply({A: None})
    key = bench.entry(A).key
    assert bench.settle().complete
    assert bench.entry(A).key == key
    assert bench.cloud.jobs[-1].phase == "half"
    assert len(bench.cloud.things) == 1


@pytest.mark.parametrize(
    "fault", [ValueError("hunter2"), KeyError("hunter2"), RuntimeError("token=hunter2"), AssertionError("hunter2")]
)
def test_a_fault_of_a_kind_fails_its_step_and_its_message_is_never_shown(bench: Bench, fault: Exception) -> None:
    bench.cloud.script("create", "a", fault)
    assert bench.apply({A: None, B: None}) == RunResult(1, 1, 0, 0)
    assert "hunter2" not in repr(bench.events)
    (failed,) = bench.told(StepFailed)
    assert failed.summary == "a fault inside prov or a provider"
    assert type(fault).__name__ in failed.detail
    assert "toy_cloud.py" in failed.detail
    assert bench.status() == {A: "creating", B: "ready"}


@pytest.mark.parametrize("answer", ["done", 0, Done(None), Done("an id")])
def test_an_answer_of_no_known_form_fails_its_step_only(bench: Bench, answer: object) -> None:
    bench.cloud.script("create", "a", lambda job: answer)
    assert bench.apply({A: None, B: None}) == RunResult(1, 1, 0, 0)
    assert bench.status() == {A: "creating", B: "ready"}


def test_a_step_that_cannot_be_begun_fails_alone(bench: Bench) -> None:
    """The output it needs turns out to be of the wrong form only when it is known."""
    plan = bench.plan({A: None, B: {"size": f"${{{A}.address}}"}, C: None})
    result = bench.run(lambda run: run.apply(plan.steps))
    assert result == RunResult(2, 1, 0, 0)
    assert bench.status() == {A: "ready", C: "ready"}


def test_a_fault_while_a_step_is_begun_fails_it_alone(bench: Bench) -> None:
    plan = bench.plan({A: None, B: {"note": f"burst ${{{A}.address}}"}, C: {"_after": [B]}, D: None})
    result = bench.run(lambda run: run.apply(plan.steps))
    assert result == RunResult(2, 1, 1, 0)
    assert bench.status() == {A: "ready", D: "ready"}


# stopping


def test_a_removal_that_needs_an_operator_before_it_began_can_be_taken_back(bench: Bench) -> None:
    bench.apply({A: None})
    before = bench.entry(A)
    bench.cloud.script("delete", "a", OperatorNeeded("it is the last one"))
    assert bench.apply({}) == RunResult(0, 1, 0, 0)
    assert (bench.entry(A).status, bench.entry(A).key) == (Status.READY, before.key)
    assert bench.plan({A: None}).empty


def test_a_removal_that_needs_an_operator_half_way_stays_a_removal(bench: Bench) -> None:
    bench.apply({A: None})
    bench.cloud.script("delete", "a", Pending(phase="leaving", after_s=0.0), OperatorNeeded("it is the last one"))
    assert bench.apply({}) == RunResult(0, 1, 0, 0)
    assert (bench.entry(A).status, bench.entry(A).phase) == (Status.DELETING, "leaving")


def test_a_stop_lets_calls_finish_and_begins_nothing_more(bench: Bench) -> None:
    plan = bench.plan({A: None, B: {"_after": [A]}, C: {"_after": [B]}})

    def work(run: Engine) -> RunResult:
        bench.cloud.script("create", "b", lambda job: run.stop())
        return run.apply(plan.steps)

    assert bench.run(work) == RunResult(2, 0, 0, 1)
    assert bench.status() == {A: "ready", B: "ready"}
    assert len(bench.told(Stopping)) == 1
    assert bench.cloud.called("create") == ["a", "b"]


def test_a_stop_leaves_what_is_pending_on_record_for_the_next_run(bench: Bench) -> None:
    plan = bench.plan({A: None, B: {"_after": [A]}})

    def work(run: Engine) -> RunResult:
        def stop_and_wait(job: Job[Any, Any]) -> Pending:
            run.stop()
            return Pending(phase="two", after_s=60)

        bench.cloud.script("create", "a", Pending(phase="one", after_s=0.01), stop_and_wait)
        return run.apply(plan.steps)

    assert bench.run(work) == RunResult(0, 0, 0, 2)
    assert (bench.entry(A).status, bench.entry(A).phase) == (Status.CREATING, "two")
    assert bench.settle().complete
    assert bench.cloud.jobs[-1].phase == "two"


def test_a_run_that_was_stopped_before_it_began_does_nothing(bench: Bench) -> None:
    plan = bench.plan({A: None})

    def work(run: Engine) -> RunResult:
        run.stop()
        return run.apply(plan.steps)

    assert bench.run(work) == RunResult(0, 0, 0, 1)
    assert bench.cloud.calls == []


# settling


def test_a_creation_is_finished_with_the_values_stored_then(bench: Bench) -> None:
    bench.record(_flying(Status.CREATING))
    assert bench.settle() == RunResult(1, 0, 0, 0)
    assert bench.cloud.jobs[0].wanted == ThingProps("a", 2)
    assert list(bench.cloud.things) == ["key-a"]
    assert bench.entry(A).applied["size"] == 2
    bench.apply({A: {"size": 5}})
    assert bench.cloud.calls == [("create", "a"), ("update", "a")]


def test_a_creation_whose_answer_was_lost_makes_no_second_thing(bench: Bench) -> None:
    bench.cloud.script("create", "a", Pending(phase="made"), RuntimeError("cut off"))
    bench.apply({A: None})
    assert bench.settle().complete
    assert len(bench.cloud.things) == 1


def test_a_change_in_flight_is_finished(bench: Bench) -> None:
    bench.apply({A: {"size": 1}})
    standing = bench.entry(A)
    bench.record(evolve(standing, status=Status.UPDATING, intended={**standing.applied, "size": 7}))
    assert bench.settle().complete
    assert bench.entry(A).applied["size"] == 7
    assert next(iter(bench.cloud.things.values())).props.size == 7


def test_a_change_in_flight_is_finished_once_what_guards_it_holds_and_what_has_no_guard_at_once(bench: Bench) -> None:
    bench.apply({A: {"size": 1}, B: {"size": 1}})
    for address in (A, B):
        standing = bench.entry(address)
        bench.record(evolve(standing, status=Status.UPDATING, intended={**standing.applied, "size": 7}))
    before = len(bench.cloud.calls)
    assert bench.settle({Address.parse(B): GUARD}) == RunResult(3, 0, 0, 0)
    done = bench.cloud.calls[before:]
    assert sorted(done) == [("check", "g"), ("update", "a"), ("update", "b")]
    assert done.index(("check", "g")) < done.index(("update", "b"))
    assert bench.status() == {A: "ready", B: "ready"}


def test_a_change_in_flight_is_left_as_it_is_where_what_guards_it_fails(bench: Bench) -> None:
    bench.apply({A: {"size": 1}})
    standing = bench.entry(A)
    bench.record(evolve(standing, status=Status.UPDATING, intended={**standing.applied, "size": 7}))
    bench.cloud.script("check", "g", OperatorNeeded("no quorum"))
    assert bench.settle({Address.parse(A): GUARD}) == RunResult(0, 1, 1, 0)
    assert bench.entry(A).status is Status.UPDATING
    assert next(iter(bench.cloud.things.values())).props.size == 1


def test_a_removal_in_flight_is_no_matter_of_settling_but_of_the_next_plan(bench: Bench) -> None:
    """By then another manner may fit; the phase it had reached is still on record."""
    bench.apply({"toy.vault/v": None})
    standing = bench.entry("toy.vault/v")
    bench.record(evolve(standing, status=Status.DELETING, how="empty", phase="half", memo={"x": "1"}))
    assert bench.settle() == RunResult(0, 0, 0, 0)
    assert bench.apply({}).complete
    assert bench.status() == {}
    assert (bench.cloud.jobs[-1].how, bench.cloud.jobs[-1].phase) == ("empty", "half")


def test_what_is_half_made_and_no_longer_wanted_is_removed_and_not_finished(bench: Bench) -> None:
    bench.cloud.script("create", "a", Pending(phase="half", after_s=0.01), OperatorNeeded("no quota"))
    bench.apply({A: None})
    assert bench.state().unfinished({OTHER}) == ()
    assert bench.apply({}).complete
    assert bench.cloud.names() == []
    assert bench.status() == {}


def test_only_what_is_half_done_is_settled(bench: Bench) -> None:
    bench.record(_flying(Status.FAILED), evolve(_flying(Status.READY), address=OTHER, key="other"))
    assert bench.settle() == RunResult(0, 0, 0, 0)
    assert bench.cloud.calls == []


# events


def test_a_run_tells_its_story_in_order(bench: Bench) -> None:
    bench.cloud.script("create", "a", Pending(note="booting", progress=0.5, after_s=0.01))
    bench.apply({A: None})
    started, step, progress, done, ended = bench.events
    assert started == RunStarted("apply", 1)
    assert step == StepStarted(f"create:{A}", "create", A)
    assert progress == StepProgress(f"create:{A}", A, "booting", 0.5)
    assert done == StepDone(f"create:{A}", "create", A, done.seconds)
    assert ended == RunEnded(1, 0, 0, ended.seconds)


def test_a_note_is_told_once(bench: Bench) -> None:
    bench.cloud.script("create", "a", *[Pending(note="booting", after_s=0.01) for _ in range(4)])
    bench.apply({A: None})
    assert [event.note for event in bench.told(StepProgress)] == ["booting"]
