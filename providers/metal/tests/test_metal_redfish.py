"""The driver before a Redfish service that is not ours, with the habits of real BMCs in front of it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from beds.bmc import habits
from beds.bmc.bed import UUID, BmcBed
from beds.bmc.exchange import Answer
from prov_metal.bmc.address import parse
from prov_metal.bmc.driver import HasWitnesses
from prov_metal.bmc.redfish import RedfishBmc
from prov_metal.bmc.wire import Access, Wire
from prov_metal.metal import MetalProvider

from provisioner.sdk import EndpointDown, Limits, OperatorNeeded, ProvError, ProviderError, Retry, Secret, Throttled

DEADLINE_S = 60.0
Ask = Callable[..., tuple[BmcBed, RedfishBmc]]


def test_it_tells_what_there_is(ask: Ask) -> None:
    """Identity and power, found from the service root."""
    _, bmc = ask(habits.Made("Acme", "A1"))
    facts = bmc.facts()
    assert (facts.vendor, facts.model, facts.uuid, facts.on) == ("Acme", "A1", UUID, False)


def test_it_says_who_asks(ask: Ask) -> None:
    """Where there are no sessions, every request but that for the root has user and password: admin, hunter2."""
    bed, bmc = ask()
    bmc.facts()
    said = [asked.headers.get("Authorization") for asked in bed.asked]
    assert [None, *["Basic YWRtaW46aHVudGVyMg=="] * (len(said) - 1)] == said


def test_a_machine_is_switched_on_and_off(ask: Ask) -> None:
    """The switch is pressed only where it has to be."""
    bed, bmc = ask(habits.Power())
    bmc.switch(on=False)
    assert bed.writes() == []
    bmc.switch(on=True)
    _until(lambda: bmc.facts().on)
    bmc.switch(on=True)
    bmc.switch(on=False)
    pressed = [body["ResetType"] for _, _, body in bed.writes()]
    assert pressed == ["On", "ForceOff"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"BootProgress": {"LastState": "OSRunning"}, "Status": {"State": "StandbyOffline"}}, (True, False)),
        ({"BootProgress": {"LastState": "None"}, "Status": {"State": "Enabled"}}, (False, True)),
        ({"BootProgress": {"LastState": None}, "Status": {"State": "Quiesced"}}, (None, None)),
        ({"BootProgress": None, "Status": None}, (None, None)),
    ],
)
def test_other_places_of_a_bmc_tell_of_the_power(
    ask: Ask, more: dict[str, Any], says: tuple[bool | None, bool | None]
) -> None:
    """Those that say something; the emulator's chassis is on, whatever its machine is, as some BMCs have it."""
    _, bmc = ask(habits.Tells(more))
    witnesses = dict(bmc.witnesses())

    assert isinstance(bmc, HasWitnesses)
    assert not bmc.facts().on
    assert says == (witnesses.pop("the progress of its boot", None), witnesses.pop("its state", None))
    assert [*witnesses.values()] == [True]


def test_a_late_eject_is_waited_for(ask: Ask, disc: str) -> None:
    """It is asked again until the slot is empty, and nothing new goes in before."""
    _, bmc = ask(habits.EjectsLate(looks=2))
    bmc.insert(disc)
    with pytest.raises(Retry, match="has not ejected yet"):
        bmc.eject()
    _until(lambda: _quiet(bmc.eject))
    assert bmc.media() is None


def test_an_insertion_that_did_nothing_is_not_believed(ask: Ask, disc: str) -> None:
    """What the BMC says counts less than what is in the slot."""
    _, bmc = ask(habits.InsertIsIgnored())
    with pytest.raises(Retry, match="not inserted the media yet"):
        bmc.insert(disc)


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (401, OperatorNeeded, "refuses the user or the password"),
        (403, OperatorNeeded, "does not allow this"),
        (409, Retry, "cannot do this now"),
        (500, Retry, "cannot do this now"),
        (503, Throttled, "wants fewer calls"),
    ],
)
def test_what_a_bmc_refuses_becomes_an_error_with_a_remedy(
    ask: Ask, status: int, error: type[ProvError], says: str
) -> None:
    """And it is not asked twice: a press of the power switch is never repeated blindly."""
    bed, bmc = ask(habits.Refuses("POST", habits.RESET, status, times=9))
    with pytest.raises(error, match=says) as caught:
        bmc.switch(on=True)
    assert caught.value.remedy or isinstance(caught.value, Throttled)
    assert "hunter2" not in f"{caught.value.detail} {caught.value.remedy}"
    assert len(bed.writes()) == 1


@pytest.mark.parametrize(
    ("said", "waits"), [("42", 42.0), ("9999", 300.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 10.0), ("", 10.0)]
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_bmc_says_how_long_it_wants_to_be_left_alone(ask: Ask, status: int, said: str, waits: float) -> None:
    """The governor of its endpoint keeps to that; where it says nothing of use there is a usual pause."""
    _, bmc = ask(lambda asked, on: Answer(status, None, {"Retry-After": said} if said else {}))
    with pytest.raises(Throttled) as caught:
        bmc.facts()
    assert waits == caught.value.after_s


def test_a_bmc_has_one_caller_at_a_time_and_a_rest() -> None:
    """So the engine asks a slow one less often, see its governor."""
    assert MetalProvider().limits({}) == Limits(in_flight=1, rest=1.0)


def test_a_bmc_that_is_not_there_is_told_from_one_that_refuses() -> None:
    """Nobody listens at the address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    bmc = RedfishBmc(Wire(Access(parse(f"redfish+http://127.0.0.1:{port}"), "admin", Secret("x"))))
    with pytest.raises(EndpointDown, match="does not answer"):
        bmc.facts()


def test_one_of_several_systems_has_to_be_named(ask: Ask) -> None:
    """A BMC in front of other systems than the one that was named is refused, with the names there are."""
    bed, _ = ask()
    bmc = RedfishBmc(Wire(Access(parse(f"{bed.address}/Systems/other"), "admin", Secret("x"))))
    with pytest.raises(ProviderError) as caught:
        bmc.facts()
    assert UUID in caught.value.detail


@pytest.mark.parametrize("text", ["10.0.0.1", "http://10.0.0.1", "redfish://", "redfish://user:pass@10.0.0.1"])
def test_what_is_no_address_of_a_bmc_is_refused(text: str) -> None:
    """A password in an address is refused, too, and not repeated."""
    with pytest.raises(ProvError) as caught:
        parse(text)
    assert "pass@" not in f"{caught.value.detail}"


def _quiet(do: Callable[[], None]) -> bool:
    try:
        do()
    except Retry:
        return False
    return True


def _until(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not look():
        assert time.monotonic() < deadline, "it did not come true"
