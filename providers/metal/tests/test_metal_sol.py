"""The serial console through a BMC: what is heard, and what happens where nothing can be."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from beds.ipmi.peer import Peer
from prov_metal.bmc.access import Access
from prov_metal.bmc.address import parse
from prov_metal.bmc.driver import HasConsole
from prov_metal.bmc.drivers import driver
from prov_metal.bmc.sol import KEPT, Console, Receiver, Tape

from provisioner.sdk import Secret

DEADLINE_S = 60.0


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as bmc:
        yield bmc


@pytest.fixture
def listen() -> Iterator[Callable[[Peer], Console]]:
    """Makes consoles that look often and try again soon, and ends them."""
    made: list[Console] = []

    def make(peer: Peer) -> Console:
        made.append(Console(access(peer), check_s=0.05, retry_s=0.05))
        return made[-1]

    yield make
    for console in made:
        console.close()


def access(peer: Peer) -> Access:
    return Access(parse(peer.address), "admin", Secret("hunter2"))


def until(true: Callable[[], object]) -> None:
    """Waits for something that another thread does."""
    gong = threading.Event()
    for _ in range(int(DEADLINE_S / 0.02)):
        if true():
            return
        gong.wait(0.02)
    raise AssertionError("it did not happen")


def test_what_is_written_is_heard(peer: Peer, listen: Callable[[Peer], Console]) -> None:
    """From when it is first asked, in the order in which it was written, over as many packets as it takes."""
    console = listen(peer)
    assert console.tail() == ""
    until(lambda: peer.sol)
    text = "".join(f"[{number}] talos\r\n" for number in range(200))
    peer.say(text.encode())
    until(lambda: len(console.tail()) >= len(text))
    assert console.tail() == text


def test_nothing_is_typed(peer: Peer, listen: Callable[[Peer], Console]) -> None:
    """The machine never gets a byte from prov."""
    typed: list[bytes] = []
    peer.iohandler = typed.append
    console = listen(peer)
    console.tail()
    until(lambda: peer.sol)
    peer.say(b"login: ")
    until(console.tail)
    assert typed == []


def test_who_listens_already_is_not_cut_off(peer: Peer, listen: Callable[[Peer], Console]) -> None:
    """It says so, and listens when the other one has left."""
    peer.activated = True
    console = listen(peer)
    console.tail()
    until(lambda: console.trouble)
    assert (console.trouble, (6, 0x49) in [asked[:2] for asked in peer.asked]) == (
        "somebody else listens on the serial console",
        False,
    )
    peer.activated = False
    until(lambda: peer.sol and not console.trouble)


@pytest.mark.parametrize(("code", "says"), [(0x81, "switched off"), (0xC1, "no Serial over LAN"), (0xD4, "0xd4")])
def test_where_nothing_can_be_heard_it_says_why(
    code: int, says: str, peer: Peer, listen: Callable[[Peer], Console]
) -> None:
    """Asking for the tail is no error for all that."""
    peer.codes[6, 0x48] = code
    console = listen(peer)
    assert console.tail() == ""
    until(lambda: says in console.trouble)


def test_a_console_that_another_took_is_tried_again(peer: Peer, listen: Callable[[Peer], Console]) -> None:
    """The BMC says now and then whose the console is."""
    console = listen(peer)
    console.tail()
    until(lambda: peer.sol)
    peer.listener = b"else"
    until(lambda: [asked[:2] for asked in peer.asked].count((6, 0x48)) > 1)


def test_the_end_of_listening_is_told(peer: Peer, listen: Callable[[Peer], Console]) -> None:
    """The thread ends, and the BMC has its console back."""
    console = listen(peer)
    console.tail()
    until(lambda: peer.sol)
    console.close()
    until(lambda: not peer.activated)
    until(lambda: f"console of {peer.address}" not in {thread.name for thread in threading.enumerate()})


PROGRAM = """
import sys, threading
from prov_metal.bmc.access import Access
from prov_metal.bmc.address import parse
from prov_metal.bmc.drivers import driver
from provisioner.sdk import Secret

bmc = driver(Access(parse(sys.argv[1]), "admin", Secret("hunter2")))
bmc.facts()
while "hello" not in bmc.tail():
    threading.Event().wait(0.02)
"""


def test_the_end_of_the_program_gives_all_back(peer: Peer) -> None:
    """A session for commands and one for the console: both are closed, and the console is free for others."""
    program = subprocess.Popen([sys.executable, "-c", PROGRAM, peer.address], stderr=subprocess.PIPE, text=True)
    until(lambda: peer.sol)
    peer.say(b"hello")
    assert (program.wait(DEADLINE_S), program.stderr and program.stderr.read()) == (0, "")
    until(lambda: peer.left == 2 and not peer.activated)


def test_the_driver_has_a_console(peer: Peer) -> None:
    """One and the same for all who ask; a BMC lets one listen."""
    first, second = driver(access(peer)), driver(access(peer))
    assert isinstance(first, HasConsole)
    assert isinstance(second, HasConsole)
    first.tail()
    second.tail()
    until(lambda: peer.sol)
    peer.say(b"hello")
    until(lambda: first.tail() == second.tail() == "hello")


def test_a_tape_keeps_the_last() -> None:
    """64 KiB, and a character that was cut through is no error."""
    tape = Tape()
    tape.add(b"x" * KEPT)
    tape.add("ä".encode())
    assert (len(tape.text()), tape.text()[-2:]) == (KEPT - 1, "xä")


def test_what_a_bmc_had_kept_is_not_spoken_now() -> None:
    """It comes when listening begins, also anew; what comes later is the machine's."""
    times = iter([0.0, 0.0, 1.0, 60.0, 60.0, 61.0, 66.0])
    tape = Tape(now=lambda: next(times))
    tape.begin()
    tape.add(b"kept")
    tape.add(b"spoken")
    tape.begin()
    tape.add(b"kept")
    assert tape.spoken == len("spoken")
    tape.add(b"!")
    assert tape.spoken == len("spoken!")


class Sent:
    """Takes the place of a session: keeps what is sent."""

    def __init__(self) -> None:
        self.session = self
        self.answers: list[tuple[int, int]] = []

    def send_payload(self, payload: bytearray, **_: Any) -> None:
        self.answers.append((payload[1], payload[2]))


def test_a_packet_that_comes_again_counts_once() -> None:
    """What it has grown by is heard; every packet is acknowledged as far as it could be."""
    sent, heard = Sent(), bytearray()
    receive = Receiver(sent, heard.extend)  # type: ignore[arg-type]
    for packet in (
        b"\1\0\0\0abc",
        b"\1\0\0\0abc",
        b"\1\0\0\0abcde",
        b"\2\0\0\0f",
        b"\0\1\1\0",
        b"\3\0\0\0" + b"g" * 256,
    ):
        receive(bytearray(packet))
    assert (bytes(heard[:6]), len(heard)) == (b"abcdef", 6 + 255)
    assert sent.answers == [(1, 3), (1, 3), (1, 5), (2, 1), (3, 255)]
