"""A host given back, call by call, however often it is cut off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import define, evolve, field
from prov_metal.bmc.driver import Facts
from prov_metal.kinds.host import HostKind
from prov_metal.kinds.props import HostOutputs, HostProps
from prov_metal.kinds.release import ENDING, ERASING
from prov_metal.met import Met

from provisioner.sdk import ERASED, Address, Done, Erasure, Job, OperatorNeeded, Pending, Secret, Seen

HOST = HostProps(
    host="r1u1",
    address="10.1.0.1",
    bmc="redfish://10.0.0.1",
    image="metal.iso",
    user_data=Secret("config"),
    authority="Y2E=",
    authority_key=Secret("a2V5"),
    wipe=("/dev/sda", "/dev/sdb"),
)
ADDRESS = Address("metal.host", "control-1")


@define
class Machine:
    """A machine behind its BMC; `told` is all that was done to it."""

    on: bool = True
    told: list[str] = field(factory=list)

    def facts(self) -> Facts:
        return Facts("Acme", "A1", "1.0", "6ae7f5b2", "S1", self.on)

    def switch(self, *, on: bool) -> None:
        self.told.append("on" if on else "off")
        self.on = on


@define
class Desk:
    """A client for one machine, and the context of a call; the time goes on when somebody says so."""

    machine: Machine = field(factory=Machine)
    time: datetime = datetime(2026, 11, 29, tzinfo=UTC)
    said: list[str] = field(factory=list)
    met: Met = field(factory=Met)

    def bmc(self, props: HostProps) -> Machine:
        return self.machine

    def now(self) -> datetime:
        return self.time

    def say(self, text: str) -> None:
        self.said.append(text)

    def call(self, job: Job[HostProps, HostOutputs]) -> Any:
        return HostKind().delete(self, job, self)  # type: ignore[arg-type]

    def go(self, job: Job[HostProps, HostOutputs]) -> Job[HostProps, HostOutputs]:
        """The job after one more call, which was not the last."""
        answer = self.call(job)
        assert isinstance(answer, Pending)
        return evolve(job, phase=answer.phase, memo=answer.memo)


def leaving(how: str = "release", **props: Any) -> Job[HostProps, HostOutputs]:
    return Job("key", 1, ADDRESS, id="r1u1", applied=evolve(HOST, **props), how=how)


def test_nobody_presses_the_switch_of_a_host_that_erases_its_disks() -> None:
    """It goes off by itself, within its time; what was seen is on record before the end."""
    desk, job = Desk(), leaving()
    job = desk.go(job)
    for _ in range(3):
        desk.time += timedelta(minutes=4)
        job = desk.go(job)
    desk.machine.on = False
    job = desk.go(job)

    assert job.memo[ERASED] == "/dev/sda, /dev/sdb: the host went off by itself 720 s after its node left"
    assert desk.call(job) == Done(None)
    assert desk.machine.told == []


def test_one_that_is_off_already_is_done_and_its_record_says_how_it_was_found() -> None:
    desk = Desk(Machine(on=False))
    job = desk.go(leaving())

    assert job.memo[ERASED] == "/dev/sda, /dev/sdb: the host was off when its node had left"
    assert desk.call(job) == Done(None)


def test_one_that_somebody_switches_on_after_its_end_was_seen_has_erased_its_disks() -> None:
    """A run may be killed there, and the next one come a day later; what was seen stays as it was."""
    desk, job = Desk(Machine(on=False)), leaving()
    job = desk.go(job)
    seen, desk.machine.on, desk.time = job.memo[ERASED], True, desk.time + timedelta(days=1)
    job = desk.go(job)

    assert (desk.machine.told, job.memo[ERASED]) == (["off"], seen)
    assert desk.call(job) == Done(None)


def test_one_that_stays_on_is_for_a_person_and_goes_on_waiting_from_where_it_was() -> None:
    """The error names host and disks; with consent, of the same run or a later one, it is switched off as it is."""
    desk, job = Desk(), leaving()
    job = desk.go(job)
    desk.time += ERASING
    with pytest.raises(OperatorNeeded, match="does not switch itself off") as caught:
        desk.call(job)

    assert caught.value.detail == "r1u1: /dev/sda, /dev/sdb: it is still on 15 min after its node left"
    assert "--allow unwiped" in caught.value.remedy
    assert desk.machine.told == []
    job = desk.go(evolve(job, how="release/unwiped"))
    assert job.memo[ERASED] == "/dev/sda, /dev/sdb: the host is switched off as it is, 15 min after its node left"
    job = desk.go(job)
    assert (desk.machine.told, desk.call(job)) == (["off"], Done(None))


def test_consent_does_not_cut_short_an_erasure_that_may_be_under_way() -> None:
    desk = Desk()
    job = desk.go(leaving("release/unwiped"))
    desk.time += ERASING - timedelta(seconds=1)
    job = desk.go(job)

    assert (job.phase, desk.machine.told) == ("waiting", [])


def test_without_disks_to_erase_a_host_has_two_minutes_to_shut_down() -> None:
    desk, job = Desk(), leaving(wipe=())
    job = desk.go(job)
    desk.time += ENDING - timedelta(seconds=1)
    job = desk.go(job)
    assert desk.machine.told == []
    desk.time += timedelta(seconds=1)
    job = desk.go(desk.go(job))

    assert desk.machine.told == ["off"]
    assert ERASED not in job.memo


@pytest.mark.parametrize("job", [leaving(""), evolve(leaving(), applied=None, wanted=HOST)])
def test_a_host_without_a_node_that_left_is_switched_off_at_once(job: Job[HostProps, HostOutputs]) -> None:
    """One that is made anew, and one that was never finished."""
    desk = Desk()
    job = desk.go(job)

    assert desk.machine.told == ["off"]
    assert desk.call(job) == Done(None)


def test_the_plan_says_what_is_erased() -> None:
    kind, props = HostKind(), {"wipe": ("/dev/sda",)}
    assert kind.how(ADDRESS, frozenset({ADDRESS}), Seen({})) == ("release", "switched off, emptied, free for others")
    assert kind.how(ADDRESS, frozenset(), Seen({})) == ("", "")
    assert kind.erasure(props, "release", Seen({})) == Erasure(("/dev/sda",), "", "release/unwiped")
    assert kind.erasure(props, "", Seen({})) is None
    assert kind.erasure({}, "release", Seen({})) is None
