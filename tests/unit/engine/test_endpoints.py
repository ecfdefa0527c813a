"""Endpoints in a run: what they bear is heeded, and one that is dead holds nobody else up."""

from __future__ import annotations

from typing import Any

from fakes.trial import Trial

from provisioner.conformance.toy import Cloud
from provisioner.errors import EndpointDown, Throttled
from provisioner.model.event import EndpointHeld, StepFailed
from provisioner.model.job import Job, Pending


def things(count: int, at: str = "") -> dict[str, Any]:
    return {f"toy.thing/{at or 'n'}{index}": {"at": at} for index in range(count)}


class Clocked(Cloud):
    """A cloud that notes when each call began."""

    def __init__(self, trial: Trial) -> None:
        super().__init__()
        self.trial = trial
        self.began: list[tuple[float, str]] = []
        self.watch = self.note

    def note(self, moment: str, verb: str, job: Job[Any, Any]) -> None:
        if moment == "before":
            self.began.append((self.trial.executor.seconds, job.address.name))


def test_no_more_calls_are_with_an_endpoint_than_it_bears() -> None:
    """Of all endpoints together there may be more."""
    trial = Trial()
    wanted = {**things(20, "x"), **things(20, "y")}
    for name in wanted:
        trial.cloud.script("create", name.partition("/")[2], Pending(after_s=1.0))

    trial.apply(wanted, providers={"toy": {"in_flight": 3}})

    assert trial.executor.peak == 6
    assert len(trial.cloud.things) == 40


def test_calls_keep_the_rate_that_a_provider_names() -> None:
    trial = Trial()
    trial.cloud = Clocked(trial)
    trial.apply(things(20), providers={"toy": {"per_second": 2.0}})
    seconds = [moment for moment, _ in trial.cloud.began]
    assert 9.0 <= seconds[-1] - seconds[0] <= 10.0


def test_a_dead_endpoint_holds_nobody_else_up() -> None:
    """Five failures in a row, and it is left alone; the others are done long before it answers again."""
    trial = Trial()
    trial.cloud = Clocked(trial)
    for index in range(20):
        trial.cloud.script("create", f"dead{index}", EndpointDown("nobody there", after_s=0.1))

    trial.apply({**things(20, "dead"), **things(20, "well")})

    held = [event for event in trial.events if isinstance(event, EndpointHeld)]
    last_of_the_well = max(moment for moment, name in trial.cloud.began if name.startswith("well"))
    assert held[0] == EndpointHeld("toy at dead", "nobody there")
    assert last_of_the_well == 0.0
    assert len(trial.cloud.things) == 40


def test_what_waits_at_an_endpoint_that_stays_down_fails_in_the_end() -> None:
    """With a reason, and without having been called over and over."""
    trial = Trial()
    names = [f"dead{index}" for index in range(50)]
    for name in names:
        trial.cloud.script("create", name, *[EndpointDown("nobody there")] * 100)

    trial.apply({**things(50, "dead"), **things(1, "well")}, deadline_s=300.0)

    failed = [event for event in trial.events if isinstance(event, StepFailed)]
    assert {event.summary for event in failed} == {"a step did not finish in time"}
    assert any("toy at dead does not answer" in event.detail for event in failed)
    assert len(failed) == 50
    assert len(trial.cloud.calls) < 50
    assert list(trial.state().entries) != []
    assert trial.cloud.names() == ["well0"]


def test_throttling_slows_everybody_at_that_endpoint_down() -> None:
    """What one call is told all of them heed: far fewer are refused than are made."""
    trial = Trial()
    trial.cloud = Clocked(trial)
    trial.cloud.script("create", "n3", Throttled("slower, please", after_s=30.0))

    trial.apply(things(200), providers={"toy": {"in_flight": 8}})

    early = [name for moment, name in trial.cloud.began if moment < 30.0]
    assert len(early) <= 30
    assert len(trial.cloud.things) == 200
