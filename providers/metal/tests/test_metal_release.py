"""A host given back, call by call, however often it is cut off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import define, evolve, field
from prov_metal.bmc.driver import Facts
from prov_metal.deadlines import Watch
from prov_metal.diagnosis.evidence import Shown
from prov_metal.kinds.host import HostKind
from prov_metal.kinds.props import HostOutputs, HostProps
from prov_metal.kinds.release import ENDING, ERASING
from prov_metal.looks import Looks
from prov_metal.met import Met
from prov_metal.settings import MetalSettings

from provisioner.sdk import ERASED, Address, Done, Erasure, Job, OperatorNeeded, Pending, ProviderError, Secret, Seen

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


@define(slots=False)
class Machine:
    """A machine behind its BMC; `told` is all that was done to it.

    lies  its BMC says that it is off, whatever it is
    """

    on: bool = True
    lies: bool = False
    told: list[str] = field(factory=list)

    def facts(self) -> Facts:
        return Facts("Acme", "A1", "1.0", "6ae7f5b2", "S1", self.on and not self.lies)

    def switch(self, *, on: bool) -> None:
        self.told.append("on" if on else "off")
        self.on = on


@define
class Console:
    """What is heard of a machine; it grows when somebody says so."""

    text: str = ""

    def tail(self) -> str:
        return self.text

    def spoken(self) -> int:
        return len(self.text)


@define
class Desk:
    """A client for one machine, and the context of a call; the time goes on when somebody says so."""

    machine: Machine = field(factory=Machine)
    time: datetime = datetime(2026, 11, 29, tzinfo=UTC)
    said: list[str] = field(factory=list)
    talos: Shown = field(factory=Shown)
    hears: Console = field(factory=Console)
    watch: Watch = field(factory=Watch)
    looks: Looks = field(factory=Looks)
    met: Met = field(factory=Met)
    settings: MetalSettings = field(factory=MetalSettings)
    dhcp: None = None
    elsewhere: bool = False

    @property
    def boot(self) -> Any:
        raise OperatorNeeded("nothing is served")

    def console(self, props: HostProps) -> Console:
        return self.hears

    def shown(self, address: str, authority: str, at_most_s: float = 20.0) -> Shown:
        return self.talos

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

    def until_error(self, job: Job[HostProps, HostOutputs], heard: str = "") -> ProviderError:
        """What it ends with, looked at every five seconds; nothing comes on record meanwhile but the wait."""
        while True:
            self.time += timedelta(seconds=5)
            self.hears.text += heard
            try:
                job = self.go(job)
            except ProviderError as err:
                return err
            assert (job.phase in ("waiting", "stopping"), ERASED in job.memo) == (True, False)

    def until_off(self, job: Job[HostProps, HostOutputs]) -> Job[HostProps, HostOutputs]:
        """The job once it is sure that the machine is off."""
        while job.phase != "emptying":
            self.time += timedelta(seconds=5)
            job = self.go(job)
        return job


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
    job = desk.until_off(job)

    assert job.memo[ERASED] == "/dev/sda, /dev/sdb: the host went off by itself 725 s after its node left"
    assert desk.call(job) == Done(None)
    assert desk.machine.told == []


def test_one_that_is_off_already_is_done_and_its_record_says_how_it_was_found() -> None:
    desk = Desk(Machine(on=False))
    job = desk.until_off(leaving())

    assert job.memo[ERASED] == "/dev/sda, /dev/sdb: the host was off when its node had left"
    assert desk.call(job) == Done(None)


def test_one_that_somebody_switches_on_after_its_end_was_seen_has_erased_its_disks() -> None:
    """A run may be killed there, and the next one come a day later; what was seen stays as it was."""
    desk, job = Desk(Machine(on=False)), leaving()
    job = desk.until_off(job)
    seen, desk.machine.on, desk.time = job.memo[ERASED], True, desk.time + timedelta(days=1)
    job = desk.go(job)

    assert (desk.machine.told, job.memo[ERASED]) == (["off"], seen)
    assert desk.call(desk.until_off(job)) == Done(None)


def test_one_that_stays_on_is_for_a_person_and_goes_on_waiting_from_where_it_was() -> None:
    """The error names host and disks; with consent, of the same run or a later one, it is switched off as it is."""
    desk, job = Desk(), leaving()
    job = desk.go(job)
    desk.time += ERASING
    with pytest.raises(OperatorNeeded, match="does not switch itself off") as caught:
        desk.call(job)

    assert caught.value.detail.startswith("r1u1: /dev/sda, /dev/sdb: it is still on 15 min after its node left\n")
    assert (
        "Talos has ended its API to reset itself, and hangs before it powers off (reset-hangs)" in caught.value.detail
    )
    assert "--allow unwiped" in caught.value.remedy
    assert desk.machine.told == []
    job = desk.go(evolve(job, how="release/unwiped"))
    assert job.memo[ERASED] == "/dev/sda, /dev/sdb: the host is switched off as it is, 15 min after its node left"
    job = desk.until_off(job)
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
    job = desk.until_off(job)

    assert desk.machine.told == ["off"]
    assert ERASED not in job.memo


@pytest.mark.parametrize("job", [leaving(""), evolve(leaving(), applied=None, wanted=HOST)])
def test_a_host_without_a_node_that_left_is_switched_off_at_once(job: Job[HostProps, HostOutputs]) -> None:
    """One that is made anew, and one that was never finished."""
    desk = Desk()
    job = desk.go(job)

    assert desk.machine.told == ["off"]
    assert desk.call(desk.until_off(job)) == Done(None)


def test_a_machine_that_is_heard_is_not_taken_for_erased() -> None:
    """Its BMC says that it is off; nothing is on record of an end, and the error names the BMC and what was heard."""
    desk, job = Desk(), leaving()
    job = desk.go(job)
    desk.machine.lies = True
    found = desk.until_error(job, "erases\n")

    assert found.summary == "a BMC says that its machine is off, and it runs"
    assert found.detail.startswith("r1u1: https://10.0.0.1 says that it is off, and its console goes on\n")
    assert "(power-lie)" in found.detail
    assert "-H 10.0.0.1 -U USER" in found.remedy
    assert desk.machine.told == []


def test_a_node_that_was_not_reset_is_told_from_one_that_hangs() -> None:
    """Its API answers as before; what else may be done about its disks is said with it."""
    desk, job = Desk(talos=Shown("node")), leaving()
    job = desk.go(job)
    desk.time += ERASING
    with pytest.raises(OperatorNeeded, match="does not switch itself off") as caught:
        desk.call(job)

    assert "does not reset itself: it answers at 10.1.0.1 (reset-unbegun)" in caught.value.detail
    assert "talosctl -n 10.1.0.1 reset" in caught.value.remedy
    assert "--allow unwiped" in caught.value.remedy


def test_a_host_that_does_not_switch_off_is_told_in_time() -> None:
    """It is not pressed for ever; the next run goes on."""
    desk, job = Desk(), leaving("")
    desk.machine.switch = lambda *, on: None  # type: ignore[method-assign]
    found = desk.until_error(job)

    assert isinstance(found, OperatorNeeded)
    assert "it does not switch off after 4 min (stopping; is switched off)" in found.detail
    assert "takes the order to switch off and does not do it (reset-ignored)" in found.detail


def test_the_plan_says_what_is_erased() -> None:
    kind, props = HostKind(), {"wipe": ("/dev/sda",)}
    assert kind.how(ADDRESS, frozenset({ADDRESS}), Seen({})) == ("release", "switched off, emptied, free for others")
    assert kind.how(ADDRESS, frozenset(), Seen({})) == ("", "")
    assert kind.erasure(props, "release", Seen({})) == Erasure(("/dev/sda",), "", "release/unwiped")
    assert kind.erasure(props, "", Seen({})) is None
    assert kind.erasure({}, "release", Seen({})) is None
