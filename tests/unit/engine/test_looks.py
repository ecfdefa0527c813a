"""Reading together: one listing serves all who come due while another is under way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from threading import Event
from typing import Any

from fakes.bench import Bench
from fakes.trial import Trial

from provisioner.conformance.toy import Cloud, ToyProvider
from provisioner.engine.apply import Engine, RunResult
from provisioner.engine.endpoints import Endpoints
from provisioner.engine.executor import Threads
from provisioner.engine.looks import BREAK, MOST_S, Looks
from provisioner.model.job import Job, Pending
from provisioner.model.plan import ProviderUse
from provisioner.model.value import Origin, Sourced
from provisioner.plugins.registry import Registry

GROUP = ("toy", "toy.thing")


def _works(*names: str) -> Any:
    """Stand-ins: who waits does not matter to when it is read."""
    return list(names)


def test_who_waits_is_read_at_once_where_nothing_is_under_way() -> None:
    looks = Looks()
    looks.wait(GROUP, _works("a", "b"))

    assert list(looks.due(1.0)) == [(GROUP, ["a", "b"])]
    assert list(looks.due(1.0)) == []
    assert looks.idle


def test_who_comes_later_waits_for_the_next_reading() -> None:
    """All of them together, once the one under way is back and the break is over."""
    looks = Looks()
    looks.wait(GROUP, _works("a"))
    list(looks.due(0.0))
    looks.begun(GROUP, 1.0)
    for name in ("b", "c"):
        looks.wait(GROUP, _works(name))
    early = list(looks.due(1.1))
    looks.ended(GROUP, 1.5)
    over = 1.5 + BREAK * 0.5

    assert early == []
    assert looks.next() == over
    assert list(looks.due(over - 0.01)) == []
    assert list(looks.due(over)) == [(GROUP, ["b", "c"])]


def test_there_is_no_break_where_nothing_else_is_to_be_done() -> None:
    looks = Looks()
    looks.wait(GROUP, _works("a"))
    list(looks.due(0.0))
    looks.ended(GROUP, 1.0)
    looks.wait(GROUP, _works("b"))
    busy = list(looks.due(1.1))

    assert busy == []
    assert list(looks.due(1.1, idle=True)) == [(GROUP, ["b"])]


def test_a_reading_that_hangs_holds_nobody_up_for_long() -> None:
    """Neither while it is under way nor by the break after it."""
    looks = Looks()
    looks.wait(GROUP, _works("a"))
    list(looks.due(0.0))
    looks.wait(GROUP, _works("b"))
    beside = list(looks.due(MOST_S))
    looks.ended(GROUP, 60.0)
    looks.ended(GROUP, 60.0)
    looks.wait(GROUP, _works("c"))

    assert beside == [(GROUP, ["b"])]
    assert looks.next() == 60.0 + MOST_S


def test_groups_do_not_wait_for_each_other() -> None:
    looks = Looks()
    looks.wait(GROUP, _works("a"))
    list(looks.due(0.0))
    looks.wait(("toy", "toy.disk"), _works("b"))

    assert list(looks.due(0.0)) == [(("toy", "toy.disk"), ["b"])]


def test_nobody_waits_after_the_end() -> None:
    looks = Looks()
    looks.wait(GROUP, _works("a"))
    looks.clear()

    assert (looks.idle, looks.next()) == (True, inf)


class Crowd(Cloud):
    """A cloud whose first reading takes until all others wait to be read, or are."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.beside = Event(), Event()
        self.watch = self.note
        self.all_wait: Callable[[], bool] = lambda: False

    def note(self, moment: str, verb: str, job: Job[Any, Any]) -> None:
        if moment == "before" and job.address.name != "a":
            self.first.wait(60)

    def ask(self, names: Iterable[str]) -> None:
        super().ask(names)
        if self.first.is_set():
            self.beside.set()
            return
        self.first.set()
        while not (self.all_wait() or self.beside.wait(0.01)):
            pass


class Slowly(Threads):
    """A clock on which a second of the computer's is a twentieth: nothing takes long there, however busy it is."""

    def now(self) -> float:
        return super().now() / 20

    def arrived(self, timeout_s: float | None) -> list[Any]:
        return super().arrived(None if timeout_s is None else timeout_s * 20)


def test_many_that_come_due_meanwhile_are_read_with_one_call(bench: Bench) -> None:
    """While one reading is under way none begins beside it, and the next one is for all the others."""
    cloud = bench.cloud = Crowd()
    bench.executor = Slowly
    for name in "abcdef":
        cloud.script("create", name, Pending(phase="booting", after_s=0.01))
    plan = bench.plan(dict.fromkeys(f"toy.thing/{name}" for name in "abcdef"))

    def work(run: Engine) -> RunResult:
        cloud.all_wait = lambda: len(run._looks._turns[GROUP].waiting) == 5
        return run.apply(plan.steps)

    assert bench.run(work).complete
    assert cloud.reads == [("a",), ("b", "c", "d", "e", "f")]


def test_a_step_that_wants_to_go_on_at_once_is_not_read_for() -> None:
    """Its position is on record, and the next call comes without a reading."""
    trial = Trial()
    seen: list[Any] = []
    trial.cloud.script("create", "a", Pending(phase="asked", after_s=0.0), lambda job: seen.append(_told(trial, job)))
    trial.apply({"toy.thing/a": {}})

    assert seen == [("asked", None, "asked")]
    assert trial.cloud.reads == []


def _told(trial: Trial, job: Job[Any, Any]) -> tuple[str, object, str]:
    """The phase of a job, what was read for it, and the phase on record."""
    return job.phase, job.seen, trial.state().entries[job.address].phase


def test_limits_that_a_file_names_are_heeded() -> None:
    """Also where the settings still know the line they come from."""
    use = ProviderUse("toy", "toy", {"in_flight": Sourced(3, Origin("cluster.yaml", 7))})
    endpoints = Endpoints(Registry({}, {"toy": ToyProvider(Cloud())}), {"toy": use})

    assert endpoints.limits("toy").in_flight == 3
