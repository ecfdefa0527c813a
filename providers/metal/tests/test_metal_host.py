"""The way of a host, call by call, however often it is cut off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import define, evolve, field
from prov_metal.bmc.driver import Facts, Source
from prov_metal.client import Client
from prov_metal.deadlines import DEADLINES, Watch, most_s
from prov_metal.diagnosis.evidence import Reach, Shown
from prov_metal.kinds.host import HostKind
from prov_metal.kinds.props import HostOutputs, HostProps
from prov_metal.looks import Looks
from prov_metal.met import Met
from prov_metal.said_off import MOMENT
from prov_metal.settings import MetalSettings

from provisioner.sdk import (
    Absent,
    Address,
    Done,
    EndpointDown,
    Fatal,
    Job,
    OperatorNeeded,
    Pending,
    ProviderError,
    Retry,
    Secret,
    Seen,
    Unreachable,
)

HOST = HostProps(
    host="r1u1",
    address="10.1.0.1",
    bmc="redfish://10.0.0.1",
    image="metal.iso",
    user_data=Secret("config"),
    authority="Y2E=",
    authority_key=Secret("a2V5"),
)
URL = "http://10.0.0.5:8069/token/r1u1.iso"


@define(slots=False)
class Rack:
    """A machine behind its BMC, which does what it is told; `told` is all that was done to it, in order.

    returns  it comes back from the installer by itself; else it stays off
    boots    what leads to an installation
    takes    so many looks from the start to the end of an installation; -1 while there is none
    """

    on: bool = False
    inserted: str | None = None
    source: Source = "disk"
    returns: bool = True
    uuid: str = "6ae7f5b2"
    silent: bool = False
    takes: int = -1
    installed: bool = False
    boots: tuple[Source, ...] = ("cd",)
    runs: str = ""
    told: list[str] = field(factory=list)

    def facts(self) -> Facts:
        if self.silent:
            raise EndpointDown("a BMC does not answer", detail="time-out")
        if self.takes == 0:
            self._end()
        self.takes -= self.takes > 0
        return Facts("Acme", "A1", "1.0", self.uuid, "S1", self.on)

    def switch(self, *, on: bool) -> None:
        if on != self.on:
            self.told.append("on" if on else "off")
            self.on, self.runs = on, ""
            if on and self.source in self.boots and (self.inserted or self.source != "cd"):
                assert not self.installed, "the disk is written once"
                self.takes = 2
            elif on:
                self.runs = "disk" if self.installed else ""

    def _end(self) -> None:
        self.installed, self.on, self.takes = True, self.returns, -1
        self.runs = "disk" if self.returns else ""

    def media(self) -> str | None:
        return self.inserted

    def insert(self, url: str) -> None:
        assert not self.on, "media change with the machine off"
        self.told.append("insert")
        self.inserted = url

    def eject(self) -> None:
        if self.inserted:
            assert self.takes < 0, "no medium is taken from under an installation"
            self.told.append("eject")
            self.inserted = None

    def boot_from(self, source: Source, url: str = "") -> None:
        if source != self.source:
            self.told.append(f"boot from {source}")
        self.source = source


@define
class Serves:
    """The boot service of `Client`, without a socket; `revoked` counts the hosts that need nothing any longer."""

    revoked: int = 0

    def offers(self, host: str, token: str, form: str) -> bool:
        return True

    def url(self, host: str, token: str, form: str) -> str:
        return URL

    def offer(self, host: str, token: str, form: str, make: Any) -> str:
        return URL

    def knows(self, *args: Any) -> None:
        """Nobody asks."""

    def revoke(self, host: str) -> None:
        self.revoked += 1

    def requests(self, host: str) -> list[Any]:
        return []


@define
class One:
    """A client for one rack.

    elsewhere  another process serves, and answers with `status`
    """

    rack: Rack
    boot: Serves = field(factory=Serves)
    met: Met = field(factory=Met)
    settings: MetalSettings = field(factory=MetalSettings)
    watch: Watch = field(factory=Watch)
    looks: Looks = field(factory=Looks)
    dhcp: None = None
    there: Shown = field(factory=Shown)
    elsewhere: bool = False
    status: int = 200
    served_since: datetime | None = None
    ready: set[str] = field(factory=set)

    def bmc(self, props: Any) -> Rack:
        return self.rack

    def reach(self, bmc: str) -> Reach:
        return Reach()

    def console(self, props: Any) -> None:
        """Nobody listens."""

    def status_of(self, url: str) -> int:
        return self.status

    def serving(self, host: str, now: datetime) -> datetime:
        self.served_since = self.served_since or now
        return self.served_since

    def shown(self, address: str, authority: str, at_most_s: float = 20.0) -> Shown:
        return self.there

    def is_node(self, props: HostProps) -> bool:
        return self.rack.runs == "disk"


@define
class Clock:
    """A context whose clock goes on by five seconds with every question."""

    time: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        self.time += timedelta(seconds=5)
        return self.time

    def say(self, text: str) -> None:
        """Nobody listens."""

    def derive(self, purpose: str) -> str:
        return "0123456789abcdef" * 4


JOB: Job[HostProps, HostOutputs] = Job("key", 1, Address("metal.host", "control-1"), wanted=HOST)
OFF = {"off_since": (Clock().time - MOMENT).isoformat()}
"""The memo of a host whose BMC has said for long enough that it is off."""


def steps(rack: Rack, job: Job[HostProps, HostOutputs] = JOB) -> Iterator[Any]:
    """What every call answers, until it is done."""
    client, clock = One(rack), Clock()
    for _ in range(30):
        answer = HostKind().create(client, job, clock)  # type: ignore[arg-type]
        yield answer
        if isinstance(answer, Done):
            return
        job = evolve(job, id=answer.id, phase=answer.phase, memo=answer.memo)
    raise AssertionError("it does not come to an end")


ONCE = ["insert", "boot from cd", "on"]


@pytest.mark.parametrize(("on", "before"), [(False, []), (True, ["off"])])
@pytest.mark.parametrize(
    ("returns", "after"), [(True, ["eject", "boot from disk"]), (False, ["eject", "boot from disk", "on"])]
)
def test_a_host_becomes_a_node(on: bool, before: list[str], returns: bool, after: list[str]) -> None:
    """From on or off, whether it comes back from the installer by itself or stays off; the disc is out at the end."""
    rack = Rack(on=on, returns=returns)
    *_, last = steps(rack)
    assert last == Done(HostOutputs("r1u1", "10.1.0.1", "Acme", "A1", "S1"))
    assert rack.told == [*before, *ONCE, *after]
    assert (rack.on, rack.inserted, rack.source) == (True, None, "disk")


@pytest.mark.parametrize("away", [timedelta(), timedelta(hours=1)], ids=["at once", "an hour later"])
@pytest.mark.parametrize("on", [False, True])
@pytest.mark.parametrize("returns", [True, False])
@pytest.mark.parametrize("cut", range(14))
def test_a_run_that_was_killed_goes_on_and_writes_the_disk_once(
    away: timedelta, on: bool, returns: bool, cut: int
) -> None:
    """Killed after any call had its effect and before it was recorded; `Rack` refuses what must not happen."""
    rack, job, clock = Rack(on=on, returns=returns), JOB, Clock()
    for number in range(400):
        answer = HostKind().create(One(rack), job, clock)  # type: ignore[arg-type]
        if isinstance(answer, Done):
            break
        if number == cut:
            clock.time += away
            rack.takes = min(rack.takes, 0) if away else rack.takes  # the machine went on alone
        else:
            job = evolve(job, id=answer.id, phase=answer.phase, memo=answer.memo)
    assert isinstance(answer, Done)
    assert (rack.on, rack.inserted, rack.source, rack.runs) == (True, None, "disk", "disk")


@pytest.mark.parametrize(
    ("status", "said"), [(0, "nobody answers"), (404, "its answer is 404"), (410, "its answer is 410")]
)
def test_nothing_begins_before_another_process_serves_what_is_booted(status: int, said: str) -> None:
    """Where one is to: its looks at the state come when they come. Once it does, the host goes on."""
    rack, job, clock = Rack(), evolve(JOB, id="r1u1", phase="stopped", memo={"way": "media", **OFF}), Clock()
    client = One(rack, settings=MetalSettings(serve="10.0.0.5:8069"), elsewhere=True, status=status)
    for _ in range(3):
        answer = HostKind().create(client, job, clock)  # type: ignore[arg-type]

        assert isinstance(answer, Pending)
        assert (answer.phase, answer.note) == ("stopped", f"waits for `prov serve` at 10.0.0.5:8069: {said}")
        assert rack.told == []
    client.status = 200
    answer = HostKind().create(client, job, clock)  # type: ignore[arg-type]

    assert isinstance(answer, Pending)
    assert (answer.phase, rack.told) == ("loaded", ["insert"])


def test_who_waits_too_long_for_another_process_is_told_so() -> None:
    """Here that is the cause; what is served here is not asked for."""
    rack, job, clock = Rack(), evolve(JOB, id="r1u1", phase="stopped", memo={"way": "media", **OFF}), Clock()
    client = One(rack, settings=MetalSettings(serve="10.0.0.5:8069"), elsewhere=True, status=0)
    HostKind().create(client, job, clock)  # type: ignore[arg-type]
    clock.time += DEADLINES["stopped"].limit + timedelta(minutes=1)
    with pytest.raises(OperatorNeeded, match="a host takes too long") as caught:
        HostKind().create(client, job, clock)  # type: ignore[arg-type]

    assert "what it should boot is not served: no answer from `serve`" in caught.value.detail
    assert "what it asked for stands in the log of `prov serve`" in caught.value.detail


@pytest.mark.parametrize("forgets", [False, True], ids=["", "its BMC forgets"])
@pytest.mark.parametrize("returns", [True, False])
@pytest.mark.parametrize("first", range(14))
def test_two_runs_were_killed_and_the_disk_is_written_once(first: int, returns: bool, forgets: bool) -> None:
    """Each an hour before the next, at any two calls; a BMC that starts anew has an empty drive and no orders."""
    for second in range(first, first + 30):
        rack, job, clock = Rack(on=True, returns=returns), JOB, Clock()
        client = One(rack)
        for number in range(600):
            answer = HostKind().create(client, job, clock)  # type: ignore[arg-type]
            if isinstance(answer, Done):
                break
            if number not in (first, second):
                job = evolve(job, id=answer.id, phase=answer.phase, memo=answer.memo)
                continue
            client, clock.time, rack.takes = One(rack), clock.time + timedelta(hours=1), min(rack.takes, 0)
            if rack.takes == 0:
                rack._end()
            if forgets and not rack.on:
                rack.inserted, rack.source = None, "disk"
        assert isinstance(answer, Done), f"{first}, {second}: {job.phase}"
        assert (rack.on, rack.inserted, rack.source, rack.runs) == (True, None, "disk", "disk")


def test_a_start_that_is_said_to_be_in_the_future_counts_as_an_installation() -> None:
    """The run that was killed was on a computer whose clock is ahead of ours; its boot order lasted."""
    rack = Rack(inserted=URL, source="cd", installed=True)
    memo = {"way": "media", "since": (Clock().time + timedelta(hours=1)).isoformat()}
    job, client, clock = evolve(JOB, id="r1u1", phase="armed", memo=memo), One(rack), Clock()
    for _ in range(10):
        answer = HostKind().create(client, job, clock)  # type: ignore[arg-type]
        if isinstance(answer, Done):
            break
        job = evolve(job, id=answer.id, phase=answer.phase, memo=answer.memo)

    assert isinstance(answer, Done)
    assert rack.told == ["eject", "boot from disk", "on"]


@pytest.mark.parametrize("phase", ["armed", "starting"])
def test_a_second_start_that_nobody_saw_the_end_of_counts_as_an_installation(phase: str) -> None:
    """Its boot order lasted, and it installed itself and went off: it is not booted from its image a second time."""
    rack = Rack(inserted=URL, source="cd", installed=True)
    memo = {"way": "media", "again": "yes", "since": Clock().time.isoformat()}
    job, client, clock = evolve(JOB, id="r1u1", phase=phase, memo=memo), One(rack), Clock()
    clock.time += timedelta(hours=1)
    for _ in range(10):
        answer = HostKind().create(client, job, clock)  # type: ignore[arg-type]
        if isinstance(answer, Done):
            break
        job = evolve(job, id=answer.id, phase=answer.phase, memo=answer.memo)

    assert isinstance(answer, Done)
    assert rack.told == ["eject", "boot from disk", "on"]


def test_a_host_of_which_nothing_comes_the_second_time_is_given_up() -> None:
    """Where nobody saw its second start, its disk has its time, and then the next run begins anew."""
    rack, since = Rack(), Clock().time - timedelta(hours=1)
    memo = {"way": "media", "again": "yes", "since": since.isoformat()}
    found = _ends(rack, evolve(JOB, id="r1u1", phase="starting", memo=memo), 15)
    assert isinstance(found, Fatal)
    assert "no node came of its disk" in found.detail
    assert rack.told == ["on"]


def test_another_machine_is_left_alone() -> None:
    """Where the inventory says which chassis it is, nothing happens to any other one."""
    rack = Rack(on=True)
    job = evolve(JOB, wanted=evolve(HOST, uuid="ffffffff"))
    with pytest.raises(OperatorNeeded, match="another machine") as caught:
        HostKind().create(One(rack), job, Clock())  # type: ignore[arg-type]
    assert "ffffffff" in caught.value.detail
    assert rack.told == []


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("state", ["node", "other"])
def test_a_host_at_whose_address_somebody_runs_is_left_alone(state: Any, on: bool) -> None:
    """Whoever it is; where the machine itself is off, somebody else has its address."""
    rack = Rack(on=on)
    client = One(rack, there=Shown(state, ("talos-x", "10.1.0.1")))
    with pytest.raises(OperatorNeeded, match="in use" if on else "has the address") as caught:
        HostKind().create(client, JOB, Clock())  # type: ignore[arg-type]

    assert f"r1u1 is {'on' if on else 'off'}, and at 10.1.0.1:50000 a " in caught.value.detail
    assert "(talos-x)" in caught.value.detail
    assert rack.told == []


def test_a_machine_that_waits_for_a_configuration_is_nobodys() -> None:
    rack = Rack(on=True)
    HostKind().create(One(rack, there=Shown("maintenance")), JOB, Clock())  # type: ignore[arg-type]
    assert rack.told == ["off"]


@pytest.mark.parametrize(
    ("uuid", "serial", "same"), [("6ae7f5b2", "S2", True), ("7", "S1", True), ("7", "S2", False)]
)
def test_another_machine_in_the_middle_gets_nothing(uuid: str, serial: str, same: bool) -> None:
    """A BMC's address may lead elsewhere by now; where UUID or serial number is as before, so is the machine."""
    rack = Rack()
    client, clock = One(rack), Clock()
    answer = HostKind().create(client, evolve(JOB, memo=OFF), clock)  # type: ignore[arg-type]
    assert isinstance(answer, Pending)
    job = evolve(JOB, id=answer.id, phase=answer.phase, memo=answer.memo)
    rack.facts = lambda: Facts("Acme", "A1", "1.0", uuid, serial, False)  # type: ignore[method-assign]
    if same:
        HostKind().create(client, job, clock)  # type: ignore[arg-type]
        assert rack.told == ["insert"]
        return
    with pytest.raises(OperatorNeeded, match="than when it began") as caught:
        HostKind().create(client, job, clock)  # type: ignore[arg-type]
    assert "it was 6ae7f5b2/S1, and is 7/S2 now" in caught.value.detail
    assert rack.told == []


def test_a_node_that_came_up_late_is_not_begun_again() -> None:
    """It was to be begun once more, for nothing had come of its disk."""
    rack = Rack(on=True, runs="disk", installed=True)
    job = evolve(JOB, id="r1u1", memo={"again": "yes"})
    answer = HostKind().create(One(rack, there=Shown("node")), job, Clock())  # type: ignore[arg-type]
    assert isinstance(answer, Pending)
    assert (answer.phase, rack.told) == ("up", [])


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_the_switch_of_another_machine_is_not_pressed(verb: str) -> None:
    """Where the row says which chassis it is, that holds for as long as the host does."""
    rack = Rack(on=verb == "delete")
    pinned = evolve(HOST, serial="S0")
    job = evolve(JOB, id="r1u1", applied=pinned, wanted=pinned if verb == "update" else None)
    with pytest.raises(OperatorNeeded, match="another machine is behind this BMC"):
        getattr(HostKind(), verb)(One(rack), job, Clock())
    assert rack.told == []


def test_an_exchanged_chassis_is_given_back_once_its_row_says_so() -> None:
    """The serial number on record is the old one until the new one was applied."""
    rack = Rack(on=False)
    job = evolve(JOB, id="r1u1", applied=HOST, wanted=None, outputs=HostOutputs("r1u1", "10.1.0.1", serial="S0"))
    with pytest.raises(OperatorNeeded, match="another machine is behind this BMC"):
        HostKind().delete(One(rack), job, Clock())  # type: ignore[arg-type]
    told = evolve(job, applied=evolve(HOST, serial="S1"))
    assert isinstance(HostKind().delete(One(rack), told, Clock()), Done | Pending)  # type: ignore[arg-type]


def test_a_host_that_was_never_met_is_not_switched_off() -> None:
    """Nothing was done to it, and whose it is was never looked at."""
    rack = Rack(on=True, silent=True)
    assert HostKind().delete(One(rack), evolve(JOB, wanted=HOST), Clock()) == Done(None)  # type: ignore[arg-type]
    assert rack.told == []


def test_a_host_that_is_given_up_is_off_empty_and_boots_from_its_disk() -> None:
    """Free for others, and quiet when asked again."""
    rack = Rack(on=True, inserted=URL, source="cd", installed=True)
    job = evolve(JOB, id="r1u1", applied=HOST, wanted=None)
    _given_back(rack, job)
    assert rack.told == ["off", "eject", "boot from disk"]
    _given_back(rack, job)
    assert rack.told == ["off", "eject", "boot from disk"]


def _given_back(rack: Rack, job: Job[HostProps, HostOutputs]) -> None:
    """Comes back when nothing is left to do; another process for each call."""
    clock = Clock()
    while not isinstance(answer := HostKind().delete(One(rack), job, clock), Done):  # type: ignore[arg-type]
        job = evolve(job, phase=answer.phase, memo=answer.memo)


def test_a_host_that_is_off_is_drift_and_is_switched_on() -> None:
    """Reading tells the power, and an update mends it."""
    rack = Rack(on=False, installed=True)
    job = evolve(JOB, id="r1u1", applied=HOST)
    found = HostKind().read(One(rack), [job], Clock())["key"]  # type: ignore[arg-type]
    assert isinstance(found, Seen)
    assert found.props["power"] == "off"
    assert isinstance(HostKind().update(One(rack), job, Clock()), Pending)  # type: ignore[arg-type]
    assert isinstance(HostKind().update(One(rack), job, Clock()), Done)  # type: ignore[arg-type]
    assert rack.told == ["on"]


def test_a_silent_bmc_is_not_an_absent_host() -> None:
    """And what is not on record as ours is nobody's."""
    rack = Rack(silent=True)
    kind, job = HostKind(), evolve(JOB, id="r1u1", applied=HOST)
    assert kind.read(One(rack), [job], Clock()) == {"key": Unreachable("time-out")}  # type: ignore[arg-type]
    assert kind.read(One(rack), [JOB], Clock()) == {"key": Absent()}  # type: ignore[arg-type]


def test_a_bmc_is_asked_with_the_password_that_the_file_has_now() -> None:
    """What is on record may be out of date; and another password is another connection."""
    old, new = evolve(HOST, password=Secret("old")), evolve(HOST, password=Secret("new"))
    client, asked = Client(MetalSettings()), list[HostProps]()

    class Watched(One):
        def bmc(self, props: Any) -> Rack:
            asked.append(props)
            return self.rack

    HostKind().read(Watched(Rack()), [evolve(JOB, id="r1u1", applied=old, wanted=new)], Clock())  # type: ignore[arg-type]

    assert asked == [new]
    assert client.bmc(new) is client.bmc(evolve(new))
    assert client.bmc(new) is not client.bmc(old)


def _ends(rack: Rack, job: Job[HostProps, HostOutputs], minutes: float) -> ProviderError:
    """The error that a host ends with, looked at four times a minute; it comes after so many minutes."""
    client, clock = One(rack), Clock()
    begin = clock.time
    while True:
        try:
            answer = HostKind().create(client, job, clock)  # type: ignore[arg-type]
        except Retry:
            pass
        except ProviderError as err:
            assert timedelta(minutes=minutes) <= clock.time - begin < timedelta(minutes=minutes + 5)
            return err
        else:
            assert isinstance(answer, Pending), "it never becomes a node"
            job = evolve(job, id=answer.id, phase=answer.phase, memo=answer.memo)
        clock.time += timedelta(seconds=10)


def test_a_bmc_that_makes_no_sense_is_waited_for_once_its_host_was_met() -> None:
    """It may be about to start; what would be refused for good at the first look is asked again then."""
    rack = Rack()

    def lost() -> Facts:
        raise Fatal("a BMC lacks what prov needs", detail="it has no Systems", effect=False)

    rack.facts = lost  # type: ignore[method-assign]
    with pytest.raises(Fatal, match="lacks what prov needs"):
        HostKind().create(One(rack), JOB, Clock())  # type: ignore[arg-type]
    with pytest.raises(Retry, match="lacks what prov needs"):
        HostKind().create(One(rack), evolve(JOB, id="r1u1", phase="booting"), Clock())  # type: ignore[arg-type]


def test_a_refusal_in_the_middle_leaves_the_host_on_record() -> None:
    """Whatever the driver says of the call: the host has been switched off, at least, and has to be given back."""
    rack = Rack()

    def refuse(source: Source, url: str = "") -> None:
        raise Fatal("a BMC lacks what prov needs", effect=False)

    rack.boot_from = refuse  # type: ignore[method-assign]
    job = evolve(JOB, id="r1u1", phase="loaded", memo={"way": "media", **OFF})
    with pytest.raises(Fatal) as caught:
        HostKind().create(One(rack), job, Clock())  # type: ignore[arg-type]
    assert caught.value.effect


def test_a_machine_of_which_no_node_comes_is_begun_anew_by_the_next_run() -> None:
    """The error says in which phase, by which way, how long, and what was last seen."""
    rack = Rack()
    rack._end = lambda: None  # type: ignore[method-assign]
    found = _ends(rack, JOB, 30)
    assert isinstance(found, Fatal)
    assert found.effect
    assert "r1u1: no node came of the image it should boot after 30 min (booting, by media" in found.detail
    assert "installs itself" in found.detail
    assert rack.told == ONCE


@pytest.mark.parametrize("phase", ["starting", "booting"])
def test_a_machine_that_asked_while_no_run_was_there_is_started_once_more(phase: str) -> None:
    """Nobody served what it should boot, so it booted something else; it has all its time to become a node first."""
    rack, clock, client = Rack(on=True, inserted=URL), Clock(), One(Rack())
    client.rack, begin = rack, clock.time
    job = evolve(JOB, id="r1u1", phase=phase, memo={"way": "media", "since": begin.isoformat()})
    started: list[datetime] = []
    for _ in range(400):
        clock.time += timedelta(seconds=10)
        answer = HostKind().create(client, job, clock)  # type: ignore[arg-type]
        if isinstance(answer, Done):
            break
        started += [clock.time] if rack.told and not started else []
        job = evolve(job, id=answer.id, phase=answer.phase, memo=answer.memo)

    assert isinstance(answer, Done)
    assert rack.told == ["off", "insert", "boot from cd", "on", "eject", "boot from disk"]
    assert started[0] - begin >= DEADLINES["booting"].limit


def test_a_machine_is_started_once_more_and_no_third_time() -> None:
    rack, since = Rack(on=True, boots=()), Clock().time.isoformat()
    found = _ends(rack, evolve(JOB, id="r1u1", phase="booting", memo={"way": "media", "since": since}), 60)
    assert isinstance(found, Fatal)
    assert rack.told == ["off", *ONCE]


def test_a_bmc_that_never_answers_leaves_the_host_as_it_is() -> None:
    """Nothing was done to the machine, so the next run goes on; the error has what the BMC's error said."""
    found = _ends(Rack(silent=True), JOB, 5)
    assert isinstance(found, OperatorNeeded)
    assert "a BMC does not answer: time-out" in found.detail


def test_a_switch_that_does_nothing_is_told_soon() -> None:
    """A machine that is said to be off for ever has not been installed."""
    rack = Rack(on=True)
    rack.switch = lambda *, on: None  # type: ignore[method-assign]
    assert "it does not switch off" in _ends(rack, JOB, 4).detail


def test_a_machine_that_never_starts_is_tried_once_more_and_given_up() -> None:
    """Its own disk comes first, for it might have been installed unseen."""
    rack = Rack()
    switch = rack.switch
    rack.switch = lambda *, on: None if on else switch(on=on)  # type: ignore[method-assign]
    found = _ends(rack, JOB, 5)
    assert "it does not switch on" in found.detail
    assert isinstance(found, Fatal)


def test_a_run_that_goes_on_gives_a_phase_its_time_again() -> None:
    """What counts is what this process has seen."""
    watch, later = Watch(), Clock().time + DEADLINES["booting"].limit + timedelta(minutes=1)
    assert not watch.over("r1u1", "booting", "media", Clock().time)
    assert watch.over("r1u1", "booting", "media", later)
    assert not watch.over("r1u1", "booting", "network", later)
    assert not Watch().over("r1u1", "booting", "media", later)


def test_the_limit_of_the_step_is_never_before_that_of_a_phase() -> None:
    """So who waits hears of the phase, not of the step; each further way takes more time."""
    making = DEADLINES.keys() - {"switching", "waiting", "emptying"}
    longest = sum((DEADLINES[phase].limit for phase in making), timedelta()).total_seconds()
    assert longest <= HostKind().takes_s(JOB) < HostKind().takes_s(evolve(JOB, wanted=evolve(HOST, boot=("a", "b"))))
    assert HostKind().takes_s(JOB) == most_s(("media",)) == HostKind().takes_s(evolve(JOB, wanted=None))


def test_a_way_that_the_bmc_cannot_do_is_no_way() -> None:
    """With none left the error names each, and why."""

    class Plain:
        def facts(self) -> Facts:
            return Facts("Acme", "A1", "1.0", "", "", on=False)

    with pytest.raises(OperatorNeeded, match="in any of its ways") as caught:
        HostKind().create(One(Plain()), JOB, Clock())  # type: ignore[arg-type]
    assert caught.value.detail == "r1u1: media: its BMC has no drive for virtual media"


WAYS_ALL = evolve(HOST, boot=("media", "http", "network"), macs=("52:54:00:00:00:01",), trust="network")
ALL = evolve(JOB, wanted=evolve(WAYS_ALL, address="127.0.0.2"))
"""Nobody answers at that address, so nobody waits there for a configuration."""


def test_a_host_that_one_way_does_not_boot_is_booted_by_the_next() -> None:
    """Each has its own time, and leaves nothing behind: what was inserted is out before the next begins."""
    rack, client, clock, job = Rack(boots=("network",)), One(Rack()), Clock(), ALL
    client.rack = rack
    while not isinstance(answer := HostKind().create(client, job, clock), Done):  # type: ignore[arg-type]
        job = evolve(job, id=answer.id, phase=answer.phase, memo=answer.memo)
        clock.time += timedelta(seconds=10)
    assert rack.told == [
        *ONCE,
        *("off", "eject", "boot from disk", "boot from http", "on"),
        *("off", "boot from disk", "boot from network", "on"),
        "boot from disk",
    ]
    assert client.boot.revoked == 3
    assert clock.time - Clock().time > 2 * DEADLINES["booting"].limit


def test_a_way_that_is_refused_gives_way_to_the_next_at_once() -> None:
    """A drive that takes no disc is no reason to wait."""
    rack = Rack(boots=("http",))

    def refuse(url: str) -> None:
        raise Fatal("a BMC refuses a request", detail=f"{'0123456789abcdef' * 2}/ is no URL")

    rack.insert = refuse  # type: ignore[method-assign]
    *_, last = steps(rack, ALL)
    assert isinstance(last, Done)
    assert rack.told == ["boot from http", "on", "boot from disk"]


def test_a_way_that_is_refused_with_none_left_is_an_error_without_a_token() -> None:
    """BMCs quote the URL that they were given."""
    rack = Rack()

    def refuse(url: str) -> None:
        raise Fatal("a BMC refuses a request", detail=f"http://10.0.0.5:8069/{'0123456789abcdef' * 2}/r1u1.iso")

    rack.insert = refuse  # type: ignore[method-assign]
    with pytest.raises(Fatal) as caught:
        [*steps(rack)]
    assert caught.value.detail.splitlines()[0] == "http://10.0.0.5:8069/…/r1u1.iso"


def test_a_run_that_was_killed_on_the_second_way_stays_on_it() -> None:
    """The way is on record with the phase."""
    rack, client = Rack(boots=("http",)), One(Rack())
    client.rack = rack
    job = evolve(ALL, id="r1u1", phase="stopped", memo={"way": "http", **OFF})
    answer = HostKind().create(client, job, Clock())  # type: ignore[arg-type]
    assert isinstance(answer, Pending)
    assert (answer.phase, answer.memo) == ("loaded", {"way": "http", **OFF})
    assert rack.told == []
