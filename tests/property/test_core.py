"""What always holds, whatever the files say and whatever goes wrong: the real planner and engine, random stories."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fakes.stories import Chapter, stories
from fakes.trial import Trial
from hypothesis import HealthCheck, Phase, given, settings

from provisioner.model.event import RunEnded, RunStarted, StepFailed
from provisioner.model.job import Job
from provisioner.model.state import Records, Status
from provisioner.model.step import Create

core = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
TRIES = 20


class Witness:
    """Sees every call of a run, and what is on record at that moment."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.wrongs: list[str] = []
        trial.cloud.watch = self.watch

    def watch(self, moment: str, verb: str, job: Job[Any, Any]) -> None:
        if moment == "before" and not self._settling():
            self.wrongs += self._wrongs(verb, job, Records(self.trial.memory.load()))

    def _wrongs(self, verb: str, job: Job[Any, Any], records: Records) -> Iterator[str]:
        entry = records.find(job.address, job.generation)
        what = f"{verb} {job.address}"
        if verb != "check" and (entry is None or entry.key != job.key):
            yield f"{what} without its intent on record"
        elif entry is not None and verb in ("create", "update"):
            for need in entry.depends_on:
                there = records.entries.get(need)
                if there is None or there.status is not Status.READY:
                    yield f"{what} while {need} is {there.status if there else 'missing'}"
        if verb == "delete" and str(job.address) not in self.trial.wanted and not self._removes_first():
            users = [e for e in records.entries.values() if job.address in e.depends_on]
            yield from (f"{what} while {e.address} uses it" for e in users if e.key in self.trial.cloud.things)

    def _removes_first(self) -> bool:
        """Whether something is made anew once the old one is gone: its users can let go of others only afterwards."""
        return any(isinstance(s, Create) and s.generation > 1 and not s.deposes for s in self.trial.decided.steps)

    def _settling(self) -> bool:
        runs = [event for event in self.trial.events if isinstance(event, RunStarted | RunEnded)]
        return bool(runs) and isinstance(runs[-1], RunStarted) and runs[-1].doing == "settle"


def tell(trial: Trial, chapter: Chapter) -> None:
    """One chapter: accidents, kills, and then as many applies as it takes."""
    for name in chapter.lost:
        trial.cloud.lose(name)
    for name in chapter.drifted:
        trial.cloud.drift(name, size=9)
    for (verb, name), items in chapter.faults.items():
        trial.cloud.script(verb, name, *items)
    for point in chapter.kills:
        trial.killed(point, chapter.wanted, options=ALLOW)
        assert_all_on_record(trial)
    for _ in range(TRIES):
        done = trial.apply(chapter.wanted, options=ALLOW)
        assert_all_on_record(trial)
        if done.result is not None and done.result.complete:
            return
    failed = [event for event in trial.events if isinstance(event, StepFailed)]
    raise AssertionError(f"not complete after {TRIES} applies: {failed[-3:]}")


ALLOW = {"allow": ["data-loss"]}


def assert_all_on_record(trial: Trial) -> None:
    """Whatever exists in the cloud is on record, under its key."""
    state = trial.state()
    known = {entry.key for entry in (*state.entries.values(), *state.deposed.values())}
    assert trial.cloud.things.keys() <= known


def told(chapters: Iterable[Chapter]) -> Trial:
    trial = Trial()
    witness = Witness(trial)
    for chapter in chapters:
        tell(trial, chapter)
        assert witness.wrongs == []
        trial.assert_nothing_is_lost()
        assert {str(a) for a in trial.state().entries} == set(chapter.wanted)
        plan = trial.plan(chapter.wanted)
        assert plan.empty, [step.id for step in plan.work]
    return trial


@core
@given(stories(faults=False, kills=False))
def test_an_apply_brings_about_what_the_file_says(chapters: list[Chapter]) -> None:
    """Nothing runs before what it needs; and afterwards there is nothing left to do."""
    told(chapters)


@core
@given(stories(kills=False))
def test_whatever_providers_answer_everything_is_on_record_and_gets_done(chapters: list[Chapter]) -> None:
    """Refusals, waits, throttling, dead endpoints and faults of providers."""
    told(chapters)


@core
@given(stories())
def test_whenever_it_is_killed_nothing_is_lost(chapters: list[Chapter]) -> None:
    told(chapters)


@core
@given(stories())
def test_in_the_end_everything_can_be_removed(chapters: list[Chapter]) -> None:
    trial = told(chapters)
    for _ in range(TRIES):  # a fault of an earlier chapter may have waited for its call until now
        done = trial.apply({}, options={"destroy": True})
        assert all(step.verb in ("delete", "forget") for step in done.plan.work)
        if done.result is not None and done.result.complete:
            break

    assert trial.cloud.things == {}
    assert (trial.state().entries, trial.state().deposed) == ({}, {})
