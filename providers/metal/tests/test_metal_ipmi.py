"""The IPMI driver before a BMC in this process; before one that is not ours, see test_metal_ipmi_sim."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from beds.ipmi.peer import GUID, Peer, entry, fru
from prov_metal.bmc.access import Access
from prov_metal.bmc.address import parse
from prov_metal.bmc.driver import HasEvents, HasMedia, TellsBoot
from prov_metal.bmc.drivers import driver
from prov_metal.bmc.fru import Made, read
from prov_metal.bmc.ipmi import IpmiBmc
from prov_metal.bmc.lan import MOST_OPEN, Lan, Talk
from prov_metal.bmc.redfish import RedfishBmc
from prov_metal.bmc.uuids import spellings
from prov_metal.diagnosis.reach import reach

from provisioner.sdk import EndpointDown, Fatal, OperatorNeeded, ProviderError, Retry, Secret, Throttled

BOOT_FLAGS = b"\x05"


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as bmc:
        yield bmc


def access(address: str, password: str = "hunter2", user: str = "admin") -> Access:
    return Access(parse(address), user, Secret(password))


def speak(peer: Peer, more: str = "") -> IpmiBmc:
    return IpmiBmc(Lan(access(peer.address + more), login_s=20.0, command_s=20.0))


def flags_set(peer: Peer) -> list[bytes]:
    return [data for _, command, data in peer.writes() if command == 0x08 and data[:1] == BOOT_FLAGS]


def test_the_address_chooses_the_driver() -> None:
    """And the abilities go with what is spoken: IPMI has no virtual media."""
    ipmi, redfish = driver(access("ipmi://127.0.0.1")), driver(access("redfish://127.0.0.1"))
    assert (type(ipmi), type(redfish)) == (IpmiBmc, RedfishBmc)
    assert (isinstance(ipmi, HasEvents), isinstance(ipmi, HasMedia)) == (True, False)


def test_it_tells_what_there_is(peer: Peer) -> None:
    """Maker, model and serial number of the board's record, the UUID, the firmware, and the power."""
    peer.fru = fru("Acme", "A1", "S123")
    facts = speak(peer).facts()
    assert (facts.vendor, facts.model, facts.serial) == ("Acme", "A1", "S123")
    assert (facts.uuid, facts.firmware, facts.on) == (str(GUID), "2.45", False)


def test_who_it_is_is_read_once_in_a_session(peer: Peer) -> None:
    """Hosts are looked at every few seconds: after the first time that is one command."""
    bmc = speak(peer)
    bmc.facts()
    peer.asked.clear()
    bmc.facts()
    assert peer.asked == [(0, 0x01, b"")]


def test_another_session_may_be_another_chassis(peer: Peer) -> None:
    """What was read of the one before is not said of it."""
    bmc = speak(peer)
    bmc.facts()
    peer.fru = fru("Acme", "A2", "S124")
    bmc.lan.close()
    assert bmc.facts().serial == "S124"


def test_a_record_is_read_in_pieces_as_long_as_the_bmc_allows(peer: Peer) -> None:
    """One that gives 16 bytes at most is asked for that."""
    peer.fru, peer.longest = fru("Acme", "A1", "S123"), 16
    assert speak(peer).facts().serial == "S123"


@pytest.mark.parametrize("raw", [b"", b"\x01", b"\x01\x00\x00\x00\x09\x00\x00\x00", bytes(64), b"\xff" * 64])
def test_a_broken_record_is_none(raw: bytes) -> None:
    """Boards without one, with an empty one and with one cut short have no maker; that is no error."""
    assert read(raw) == Made()


@pytest.mark.parametrize("raw", [GUID.bytes_le, GUID.bytes, GUID.bytes[::-1]], ids=["smbios", "rfc", "ipmi"])
def test_a_uuid_is_known_in_each_order_of_bytes(raw: bytes, peer: Peer) -> None:
    """Whichever a BMC sends, the one on the label is its own, and another one is not."""
    peer.guid = raw
    facts = speak(peer).facts()
    assert (facts.is_uuid(str(GUID).upper()), facts.is_uuid(str(UUID(int=1)))) == (True, False)


def test_what_says_its_version_is_read_in_that_order() -> None:
    """The likeliest spelling comes first; where none is sound, it is that of firmware."""
    assert spellings(GUID.bytes[::-1])[0] == str(GUID)
    assert spellings(bytes(range(0xF0, 0x100)))[0] == "f3f2f1f0-f5f4-f7f6-f8f9-fafbfcfdfeff"
    assert (spellings(bytes(16)), spellings(b"\xff" * 16), spellings(b"short")) == ((), (), ())


def test_a_machine_is_switched_on_and_off(peer: Peer) -> None:
    """The switch is pressed only where it has to be, and off does not ask the operating system."""
    bmc = speak(peer)
    bmc.switch(on=False)
    bmc.switch(on=True)
    bmc.switch(on=True)
    bmc.switch(on=False)
    assert peer.writes() == [(0, 0x02, b"\x01"), (0, 0x02, b"\x00")]


def test_it_boots_from_the_network_once_by_uefi(peer: Peer) -> None:
    """Valid, once, UEFI, device 1; the same is not written twice, nor cleared when the start takes its time."""
    bmc = speak(peer)
    bmc.boot_from("network")
    bmc.boot_from("network")
    assert flags_set(peer) == [b"\x05\xa0\x04\x00\x00\x00"]
    assert (0, 0x08, b"\x03\x08") in peer.writes()


def test_an_old_machine_boots_the_old_way(peer: Peer) -> None:
    """`mode=bios` leaves the UEFI flag out."""
    speak(peer, "?mode=bios").boot_from("network")
    assert flags_set(peer) == [b"\x05\x80\x04\x00\x00\x00"]


@pytest.mark.parametrize(("more", "device"), [("", 0x5), ("?vendor=dell", 0x8)])
def test_a_flavour_has_devices_of_its_own(more: str, device: int, peer: Peer) -> None:
    """What a virtual CD is differs from maker to maker."""
    speak(peer, more).boot_from("cd")
    assert peer.flags[1] >> 2 == device


def test_the_boot_source_is_left_to_the_firmware_again(peer: Peer) -> None:
    """Nothing is valid any more; nothing is written where nothing was set."""
    bmc = speak(peer)
    bmc.boot_from("disk")
    assert flags_set(peer) == []
    bmc.boot_from("network")
    bmc.boot_from("disk")
    assert peer.flags == (0, 0)


class Sticky(Peer):
    """Keeps a device whatever comes; `to` are those it takes."""

    to: tuple[int, ...] = ()

    def _answer(self, netfn: int, command: int, data: bytes) -> tuple[int, bytes]:
        if (netfn, command) == (0, 0x08) and data[0] == 5 and data[2] >> 2 not in self.to:
            return 0, b""
        return super()._answer(netfn, command, data)


def test_a_boot_source_that_is_not_kept_is_noticed() -> None:
    """It is read back; what was not kept is tried again later."""
    with Sticky() as peer, pytest.raises(Retry, match="did not keep"):
        speak(peer).boot_from("network")


@pytest.mark.parametrize(("more", "device"), [("", 0x2), ("?vendor=supermicro", 0x9)])
def test_who_cannot_be_without_a_device_has_the_disk(more: str, device: int) -> None:
    """Which is another one on some makes."""
    with Sticky() as peer:
        peer.to, peer.flags = (0x2, 0x9), (0xA0, 0x04)
        speak(peer, more).boot_from("disk")
        assert peer.flags[1] >> 2 == device


@pytest.mark.parametrize(
    ("flags", "target", "enabled"),
    [
        ((0xA0, 0x04), "network", "once, UEFI"),
        ((0xC0, 0x08), "disk", "persistent, BIOS"),
        ((0x00, 0x04), "network", "once, BIOS, not marked as valid"),
        ((0x80, 0x1C), "device 0x7", "once, BIOS"),
        ((0x00, 0x00), "", ""),
    ],
)
def test_it_tells_what_the_next_start_boots(flags: tuple[int, int], target: str, enabled: str, peer: Peer) -> None:
    """For whoever wonders why a host booted something else."""
    peer.flags = flags
    bmc = speak(peer)
    assert isinstance(bmc, TellsBoot)
    assert (bmc.next_boot().target, bmc.next_boot().enabled) == (target, enabled)


def test_a_url_cannot_be_booted(peer: Peer) -> None:
    """IPMI has no word for it; nothing has happened."""
    with pytest.raises(Fatal) as caught:
        speak(peer).boot_from("http", "http://10.0.0.5/a.efi")
    assert (caught.value.effect, "network" in caught.value.remedy) == (False, True)


def test_the_newest_of_its_log_are_told(peer: Peer) -> None:
    """Fifty at most, the newest last, in words, with the time where its clock was set."""
    peer.log = [entry(1700000000 + n, 0x0F, 1, 0x6F, 0xC2, 0x13, 0xFF) for n in range(60)]
    peer.log.append(entry(12, 0x0C, 3, 0x6F, 0x01, 0xFF, 0xFF))
    events = speak(peer).events()
    assert (len(events), events[0].at) == (50, datetime.fromtimestamp(1700000011, UTC))
    assert events[-2].text == "System Firmware 1: Progress (Starting OS boot)"
    assert (events[-1].at, events[-1].severity, events[-1].text) == (
        None,
        "critical",
        "Memory 3: Uncorrectable error",
    )


def test_a_bmc_without_a_log_has_no_events(peer: Peer) -> None:
    """Nor has one that does not know the command."""
    bmc = speak(peer)
    assert bmc.events() == ()
    peer.codes[0x0A, 0x43] = 0xC1
    assert bmc.events() == ()


@pytest.mark.parametrize(
    ("code", "error"), [(0xC0, Retry), (0xD5, Retry), (0xD4, OperatorNeeded), (0xC1, OperatorNeeded)]
)
def test_a_refusal_says_whether_it_passes(code: int, error: type[ProviderError], peer: Peer) -> None:
    """Busy and "not in this state" do; a missing privilege or command does not."""
    peer.codes[0, 0x02] = code
    with pytest.raises(error) as caught:
        speak(peer).switch(on=True)
    assert f"{code:#04x} to Chassis Control" in caught.value.detail


def test_a_wrong_password_is_for_a_person() -> None:
    """And stands nowhere in the error."""
    with Peer() as peer, pytest.raises(OperatorNeeded, match="user or the password") as caught:
        driver(access(peer.address, "letmein")).facts()
    assert "letmein" not in repr(vars(caught.value))


def test_what_ipmi_cannot_carry_is_refused_before_anybody_is_asked() -> None:
    """Passwords have 20 bytes at most, users 16; a longer one is cut off by some and refused by others."""
    for user, password in (("admin", "x" * 21), ("u" * 17, "x")):
        with pytest.raises(OperatorNeeded, match="too long"):
            driver(access("ipmi://127.0.0.1:1", password, user)).facts()


def test_a_suite_that_was_asked_for_is_had_or_refused(peer: Peer) -> None:
    """The peer has suite 3 only: by itself prov comes down to it, told to take 17 it does not."""
    assert speak(peer, "?cipher=3").facts().on is False
    with pytest.raises(OperatorNeeded, match="cipher suite"):
        speak(peer, "?cipher=17").facts()


@pytest.mark.parametrize(
    ("said", "error", "summary"),
    [
        ("Insufficient resources to create new session", Throttled, "no session left"),
        ("Invalid role in RAKP2", OperatorNeeded, "does not allow"),
        ("Unauthorized name in RAKP2", OperatorNeeded, "user or the password"),
        ("Invalid RAKP4 integrity code (wrong Kg?)", OperatorNeeded, "key of its own"),
        ("only IPMI 1.5", OperatorNeeded, "without encryption"),
        ("timeout", EndpointDown, "does not answer"),
        ("something new", Retry, "cannot do this now"),
    ],
)
def test_a_login_that_fails_says_why(said: str, error: type[ProviderError], summary: str) -> None:
    """Each reason that a BMC may give is an error of its own, with a remedy where a person is needed."""
    found = Lan(access("ipmi://127.0.0.1")).shut_out(said)
    assert (type(found), summary in found.summary) == (error, True)
    assert bool(found.remedy) or not isinstance(found, OperatorNeeded)


def test_silence_is_a_bmc_that_is_down_and_says_where_to_look() -> None:
    """Nobody answers there: the flavour knows where IPMI over LAN is switched on."""
    with socket.socket(type=socket.SOCK_DGRAM) as hole:
        hole.bind(("127.0.0.1", 0))
        lan = Lan(access(f"ipmi://127.0.0.1:{hole.getsockname()[1]}?vendor=hpe"), login_s=0.3)
        with pytest.raises(EndpointDown) as caught:
            lan.ask(0, 1)
    assert "iLO: Security" in caught.value.remedy


def test_a_session_that_dies_is_begun_anew(peer: Peer) -> None:
    """One call fails as the endpoint's; the next logs in again."""
    bmc = speak(peer)
    bmc.facts()
    peer.mute, patience = True, bmc.lan.command_s
    bmc.lan.command_s = 0.3
    with pytest.raises(EndpointDown):
        bmc.facts()
    peer.mute, bmc.lan.command_s = False, patience
    assert (bmc.facts().on, bmc.lan.session) == (False, 2)


def test_a_bmc_that_never_answers_holds_up_no_other(peer: Peer) -> None:
    """While one is waited for, another one is asked from a second thread, and answers."""
    with socket.socket(type=socket.SOCK_DGRAM) as hole:
        hole.bind(("127.0.0.1", 0))
        silent = Lan(access(f"ipmi://127.0.0.1:{hole.getsockname()[1]}"), login_s=60.0)

        def ask() -> None:
            with pytest.raises(EndpointDown):
                silent.ask(0, 1)

        waiting = threading.Thread(target=ask, daemon=True)
        waiting.start()
        hole.recvfrom(1024)
        assert speak(peer).facts().on is False
        assert waiting.is_alive()


def test_all_who_speak_with_a_bmc_share_its_session(peer: Peer) -> None:
    """Settling and applying connect each for themselves; the table of sessions of a BMC is short."""
    first, second = driver(access(peer.address)), driver(access(peer.address))
    first.facts()
    second.facts()
    assert isinstance(first, IpmiBmc)
    assert isinstance(second, IpmiBmc)
    assert (first.lan is second.lan, first.lan.session) == (True, 1)


def test_nothing_is_left_running(peer: Peer) -> None:
    """Closing ends the thread, and tells the BMC."""
    bmc = speak(peer)
    before = set(threading.enumerate())
    bmc.facts()
    during = set(threading.enumerate())
    bmc.lan.close()
    (ours,) = during - before
    threading.Thread.join(ours, 60)  # its own takes no time
    assert set(threading.enumerate()) - before == set()


def test_whether_a_bmc_lives_is_seen_without_a_login(peer: Peer) -> None:
    """It answers; a closed port is refused; a silent one cannot be told from none."""
    with socket.socket(type=socket.SOCK_DGRAM) as hole:
        hole.bind(("127.0.0.1", 0))
        closed = socket.socket(type=socket.SOCK_DGRAM)
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        closed.close()
        places = (
            (parse(peer.address).base, 20.0),
            (f"ipmi://127.0.0.1:{port}", 20.0),
            (f"ipmi://127.0.0.1:{hole.getsockname()[1]}", 0.5),
        )
        found = [reach(place, usual_s=20.0, patience_s=patience_s).state for place, patience_s in places]
    assert found == ["answers", "refused", "unreachable"]


def test_a_lost_packet_is_no_dead_bmc() -> None:
    """The question is asked again until the time is over."""
    with socket.socket(type=socket.SOCK_DGRAM) as lossy:
        lossy.bind(("127.0.0.1", 0))

        def answer_the_second() -> None:
            lossy.recv(1024)
            _, caller = lossy.recvfrom(1024)
            lossy.sendto(b"\x06", caller)

        threading.Thread(target=answer_the_second, daemon=True).start()
        found = reach(f"ipmi://127.0.0.1:{lossy.getsockname()[1]}", usual_s=20.0, patience_s=60.0)
    assert found.state == "answers"


def test_with_many_bmcs_sessions_are_given_back_at_once(peer: Peer) -> None:
    """A session takes a file; beyond a number of them each ends with its command, and works all the same."""
    crowd = [Talk() for _ in range(MOST_OPEN)]
    bmc = speak(peer)
    bmc.facts()
    peer.asked.clear()
    assert (bmc.facts().on, bmc.lan.session, len(peer.asked)) == (False, 1, 1)
    for each in crowd:
        each.close()
