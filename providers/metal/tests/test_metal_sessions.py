"""Sessions with a BMC, and what it takes on without having done it."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from beds.bmc import habits, service
from beds.bmc.bed import SYSTEM, BmcBed
from beds.bmc.exchange import Answer, refusal
from beds.bmc.service import NoSessions, Sessions, TakesOn
from prov_metal.bmc.redfish import RedfishBmc

from provisioner.sdk import OperatorNeeded, Retry, Throttled

Ask = Callable[..., tuple[BmcBed, RedfishBmc]]
SLOT = "/VirtualMedia/Cd"


@pytest.mark.parametrize("placeless", [False, True])
def test_one_session_serves_all_requests_and_is_given_back(ask: Ask, placeless: bool) -> None:
    """The password goes over the wire once, and nothing is left in the BMC's table."""
    sessions = Sessions(placeless=placeless)
    bed, bmc = ask(sessions)
    bmc.facts()
    bmc.facts()
    bmc.media()
    assert (sessions.begun, sessions.open) == (1, 1)
    assert [asked for asked in bed.asked if "Authorization" in asked.headers] == []

    bmc.wire.close()
    assert sessions.open == 0


def test_a_wire_that_nobody_holds_any_more_logs_out(ask: Ask) -> None:
    """Who forgets to close it leaves nothing behind either."""
    import gc

    sessions = Sessions()
    _, bmc = ask(sessions)
    bmc.facts()
    del bmc
    gc.collect()
    assert sessions.open == 0


def test_a_process_that_ends_logs_out(ask: Ask) -> None:
    """Without a word of its own, and also where it ends with an error."""
    sessions = Sessions()
    bed, _ = ask(sessions)
    program = (
        "import sys\n"
        "from prov_metal.bmc.address import parse\n"
        "from prov_metal.bmc.redfish import RedfishBmc\n"
        "from prov_metal.bmc.wire import Access, Wire\n"
        "from provisioner.sdk import Secret\n"
        "bmc = RedfishBmc(Wire(Access(parse(sys.argv[1]), 'admin', Secret('hunter2'))))\n"
        "bmc.facts()\n"
        "raise SystemExit(3)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, bed.address], check=False, timeout=100)
    for _ in range(6000):
        if not sessions.open:
            break
        threading.Event().wait(0.01)  # it says goodbye, and waits for a moment only
    assert (done.returncode, sessions.begun, sessions.open) == (3, 1, 0)


def test_a_session_that_has_ended_is_begun_anew(ask: Ask) -> None:
    """A BMC that forgot the token gets the same request again in a new session, each but once."""
    sessions = Sessions(life=2)
    bed, bmc = ask(sessions)
    bmc.facts()
    bmc.switch(on=True)
    assert sessions.begun > 1
    assert sessions.at_once == 1
    pressed = [asked for asked in bed.asked if asked.does(habits.RESET)]
    assert len({asked.headers["X-Auth-Token"] for asked in pressed}) == len(pressed)


def test_a_wrong_password_is_tried_once(ask: Ask) -> None:
    """Accounts are locked after a few times, so nothing else is tried with it."""
    bed, bmc = ask(Sessions(), password="guess")
    with pytest.raises(OperatorNeeded, match="refuses the user or the password"):
        bmc.facts()
    assert len([asked for asked in bed.asked if asked.method == "POST" or "Authorization" in asked.headers]) == 1


@pytest.mark.parametrize("status", [400, 503])
def test_a_full_table_is_gone_round(ask: Ask, status: int) -> None:
    """User and password with each request, where the BMC takes that."""
    _, bmc = ask(Sessions(room=0, status=status))
    assert not bmc.facts().on


def test_a_full_table_is_said_to_be_full(ask: Ask) -> None:
    """Where nothing goes without a session either, the error says what is wrong and what to do, and passes."""
    sessions = Sessions(room=0, basic=False)
    _, bmc = ask(sessions)
    with pytest.raises(Throttled, match="session table of a BMC is full") as caught:
        bmc.facts()
    assert "end sessions" in caught.value.remedy
    assert caught.value.after_s >= 10

    sessions.room = 1
    assert not bmc.facts().on


@pytest.mark.parametrize("status", [403, 404, 405, 501])
def test_where_sessions_are_refused_the_password_goes_with_each_request(ask: Ask, status: int) -> None:
    """The root may name a place for sessions that takes none."""
    bed, bmc = ask(NoSessions(status))
    bmc.facts()
    bmc.facts()
    assert [asked.path for asked in bed.asked if asked.method == "POST"] == [service.SESSIONS]


def test_a_password_that_has_to_be_changed_is_said_so(ask: Ask) -> None:
    """New BMCs have one that is good for nothing else."""
    _, bmc = ask(lambda asked, on: _must_change() if asked.method == "POST" else Sessions()(asked, on))
    with pytest.raises(OperatorNeeded, match="wants its password to be changed"):
        bmc.facts()


def test_no_credential_is_logged(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    """Neither password nor token, at no level, whatever signs are in the password; the library would log both."""
    password = 'hunter"2'
    caplog.set_level(logging.DEBUG)
    logging.getLogger("redfish.rest.v1").setLevel(logging.DEBUG)
    _, bmc = ask(Sessions(password=password), password=password)
    bmc.switch(on=True)
    bmc.wire.close()
    assert "urllib3" in {record.name.partition(".")[0] for record in caplog.records}
    assert [record for record in caplog.records if "token1" in record.getMessage()] == []
    assert [record for record in caplog.records if "hunter" in record.getMessage()] == []


# what is taken on


@pytest.mark.parametrize("nameless", [False, True])
@pytest.mark.parametrize("states", [False, True])
def test_a_task_is_looked_after_until_it_is_done(ask: Ask, disc: str, states: bool, nameless: bool) -> None:
    """An insertion that goes on is not begun again; the BMC says when to look."""
    if nameless and not states:
        return  # there is no place at all to ask at
    bed, bmc = ask(TakesOn("VirtualMedia.InsertMedia", states=states, nameless=nameless))
    waits = []
    for _ in range(5):
        try:
            bmc.insert(disc)
            break
        except Retry as later:
            waits.append(later.after_s)
    assert disc == bmc.media()
    assert waits == [3.0, 7.0, 7.0]
    assert [method for method, name, _ in bed.writes() if name == "VirtualMedia.InsertMedia"] == ["POST"]


def test_a_task_that_fails_says_why(ask: Ask, disc: str) -> None:
    """What the BMC says of it is in the error, with the arguments in their places."""
    said = {"Message": "%1 cannot be reached", "MessageArgs": ["the image"]}
    _, bmc = ask(TakesOn("InsertMedia", looks=0, ends=Answer(200, {"TaskState": "Exception", "Messages": [said]})))
    with pytest.raises(Retry):
        bmc.insert(disc)
    with pytest.raises(Retry, match="failed at what it had taken on") as caught:
        bmc.insert(disc)
    assert "the image cannot be reached" in caught.value.detail


def test_a_task_that_ends_with_an_error_says_why(ask: Ask, disc: str) -> None:
    """A monitor may give the answer that the request would have got."""
    _, bmc = ask(TakesOn("InsertMedia", looks=0, states=False, ends=refusal(400, "no such image")))
    with pytest.raises(Retry):
        bmc.insert(disc)
    with pytest.raises(Retry, match="failed at what it had taken on") as caught:
        bmc.insert(disc)
    assert "no such image" in caught.value.detail


def test_a_task_without_end_is_somebody_s_business(ask: Ask, disc: str) -> None:
    """After a quarter of an hour it is not waited for any longer, and then it is forgotten."""
    clock = [0.0]
    _, bmc = ask(TakesOn("InsertMedia", looks=99), now=lambda: clock[0])
    with pytest.raises(Retry):
        bmc.insert(disc)
    clock[0] = 899.0
    with pytest.raises(Retry, match="has not finished yet"):
        bmc.insert(disc)
    clock[0] = 901.0
    with pytest.raises(OperatorNeeded, match="does not come to an end") as caught:
        bmc.insert(disc)
    assert "Running" in caught.value.detail


def test_a_boot_source_may_be_a_task(ask: Ask) -> None:
    """It is not believed before it is there."""
    bed, bmc = ask(TakesOn(SYSTEM))
    for _ in range(5):
        try:
            bmc.boot_from("network")
            break
        except Retry:
            continue
    assert bmc.wire.get(SYSTEM)["Boot"]["BootSourceOverrideTarget"] == "Pxe"
    assert len(bed.writes()) == 1


def test_the_power_switch_may_be_a_task(ask: Ask) -> None:
    """It is quiet about one that runs, and says why one failed when it is pressed again."""
    _, bmc = ask(TakesOn("ComputerSystem.Reset", looks=1, ends=refusal(400, "there is no power supply")))
    bmc.switch(on=True)
    bmc.switch(on=True)
    with pytest.raises(Retry) as caught:
        bmc.switch(on=True)
    assert "there is no power supply" in caught.value.detail


def _must_change() -> Answer:
    info = {"MessageId": "Base.1.8.PasswordChangeRequired", "Message": "The password must be changed."}
    return Answer(403, {"error": {"@Message.ExtendedInfo": [info]}})
