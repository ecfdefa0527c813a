"""What a machine writes on its serial console, heard through its BMC (Serial over LAN).

Listening takes a session of its own, for it goes on while commands are given, and a thread, which ends with the
program. Where somebody else listens already, a technician for one, it is tried again later: a BMC lets one listen,
and nobody is cut off. Nothing is ever typed. (IPMI 2.0, chapters 15 and 24; the bit rate is for BMC and firmware to
agree on.)
"""

from __future__ import annotations

import struct
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from attrs import define, field

from prov_metal.bmc.access import Access
from prov_metal.bmc.lan import LOGIN_S, Talk, credentials
from provisioner.sdk import ProviderError

KEPT = 64 * 1024
"""So many bytes of what was written last."""
RETRY_S = 15.0
CHECK_S = 20.0
"""How often the BMC is asked whether it is still us who listen; that keeps the session alive, too."""
COMMAND_S = 10.0
GREETING_S = 5.0
"""So long after listening began BMCs may send what they had kept."""

_LONGEST = 255
"""More cannot be acknowledged; the BMC sends what is over again."""
_APP = 0x06
_ACTIVATE, _DEACTIVATE, _OWNER = 0x48, 0x49, 0x4B
_SOL = (1, 1)
"""The payload type of Serial over LAN, and its first instance."""
_REFUSALS = {
    0x80: "somebody else listens on the serial console",
    0x81: "Serial over LAN is switched off",
    0x82: "no session for Serial over LAN is left",
    0x83: "Serial over LAN does not go with encryption there",
    0xC1: "there is no Serial over LAN",
}


class Lost(Exception):
    """Nothing is heard any more; the text says why."""


class Tape:
    """The last of what was heard. For several threads at once.

    spoken  bytes of all that was, without what BMCs may have kept and send when listening begins
    """

    def __init__(self, kept: int = KEPT, now: Callable[[], float] = time.monotonic) -> None:
        self.spoken = 0
        self._kept = kept
        self._now = now
        self._bytes = bytearray()
        self._began = now()
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Listening begins, perhaps anew."""
        with self._lock:
            self._began = self._now()

    def add(self, more: bytes) -> None:
        with self._lock:
            self._bytes += more
            del self._bytes[: -self._kept]
            if self._now() - self._began > GREETING_S:
                self.spoken += len(more)

    def text(self) -> str:
        with self._lock:
            return self._bytes.decode("utf-8", "replace")


@define(eq=False)
class Console:
    """Satisfies `HasConsole`. Nothing is opened before somebody listens."""

    access: Access
    check_s: float = CHECK_S
    retry_s: float = RETRY_S
    tape: Tape = field(init=False, factory=Tape)
    _trouble: list[str] = field(init=False, factory=list)
    _lock: threading.Lock = field(init=False, factory=threading.Lock)
    _close: Callable[[], Any] | None = field(init=False, default=None)

    def tail(self) -> str:
        with self._lock:
            if self._close is None:
                over, thread = self._listening()
                self._close = weakref.finalize(self, _end, over, thread)
        return self.tape.text()

    def spoken(self) -> int:
        return self.tape.spoken

    @property
    def trouble(self) -> str:
        """Why nothing is heard; empty while something can be."""
        return self._trouble[-1] if self._trouble else ""

    def close(self) -> None:
        """Ends listening; `tail` begins it anew."""
        with self._lock:
            if self._close is not None:
                self._close()
                self._close = None

    def _listening(self) -> tuple[threading.Event, threading.Thread]:
        """A thread that listens, and how to end it. It must not hold this object, whose end is its own."""
        over = threading.Event()
        ear = Ear(self.access, self.tape, self._trouble, over, self.check_s, self.retry_s)
        thread = threading.Thread(target=ear.listen, name=f"console of {self.access.address.base}", daemon=True)
        thread.start()
        return over, thread


@define(eq=False)
class Ear:
    """Listens until `over` is set, and begins anew when it is cut off."""

    access: Access
    tape: Tape
    trouble: list[str]
    over: threading.Event
    check_s: float
    retry_s: float

    def listen(self) -> None:
        while not self.over.is_set():
            # At the program's end it is this thread that closes it, when it is told that all is over.
            talk = Talk(self.access.address.cipher, closes_at_exit=False)
            try:
                self._hear(talk)
            except (Lost, ProviderError, OSError) as err:
                self.trouble[:] = [str(err)]
            except Exception as err:  # whatever pyghmi makes of a broken packet; it is begun anew
                self.trouble[:] = [f"Serial over LAN broke off: {type(err).__name__}"]
            finally:
                talk.close()
            self.over.wait(self.retry_s)

    def _hear(self, talk: Talk) -> None:
        """Raises Lost, OSError or ProviderError."""
        host, port = self.access.address.place
        try:
            said = talk.login(host, port, *credentials(self.access), LOGIN_S)
            if said:
                raise Lost(said)
            self._activate(talk, port)
            self.trouble.clear()
            while not self.over.is_set():
                self._some_time(talk)
                owner = talk.command(_APP, _OWNER, bytes(_SOL), COMMAND_S)
                if not owner.code and _number(owner.data) != talk.session.sessionid:
                    raise Lost(_REFUSALS[0x80])
        except TimeoutError:
            raise Lost("its BMC does not answer") from None

    def _activate(self, talk: Talk, port: int) -> None:
        self.tape.begin()
        # Before the answer, for what is written at once may come before it, too.
        talk.session.sol_handler = Receiver(talk, self.tape.add)
        # Encrypted and authenticated.
        heard = talk.command(_APP, _ACTIVATE, bytes((*_SOL, 0xC0, 0, 0, 0)), COMMAND_S)
        if heard.code:
            talk.session.sol_handler = None  # whose it is, it is not ours to end
            raise Lost(_REFUSALS.get(heard.code, f"Serial over LAN was refused with {heard.code:#04x}"))
        there = (
            {struct.unpack_from(order, heard.data, 8)[0] for order in ("<H", ">H")} if len(heard.data) > 9 else {port}
        )
        if port not in there:
            raise Lost(f"Serial over LAN has a port of its own there, {min(there)}")

    def _some_time(self, talk: Talk) -> None:
        end = time.monotonic() + self.check_s
        while not self.over.is_set() and time.monotonic() < end:
            talk.pause(0.5)


class Receiver:
    """Takes the packets of a console, and says that they came. (IPMI 2.0, 15.9.)"""

    def __init__(self, talk: Talk, heard: Callable[[bytes], None]) -> None:
        self._talk = talk
        self._heard = heard
        self._last = (0, 0)

    def __call__(self, packet: Any) -> None:
        """`packet` is what pyghmi has unpacked; something else than bytes where the session has ended."""
        if not isinstance(packet, bytes | bytearray) or len(packet) < 4:
            return
        number, text = packet[0] & 0xF, bytes(packet[4 : 4 + _LONGEST])
        if not number:
            return  # an acknowledgement, and nothing was sent
        last, length = self._last
        # A packet that comes again, because our answer was lost, may have grown meanwhile.
        self._heard(text[length:] if number == last else text)
        self._last = (number, max(len(text), length) if number == last else len(text))
        self._talk.session.send_payload(
            bytearray((0, number, len(text), 0)), payload_type=1, retry=False, needskeepalive=True
        )


_CONSOLES: weakref.WeakValueDictionary[Access, Console] = weakref.WeakValueDictionary()
_LOCK = threading.Lock()


def console_of(access: Access) -> Console:
    """The console behind a BMC, one and the same for all who ask in this process."""
    with _LOCK:
        found = _CONSOLES.get(access)
        if found is None:
            found = _CONSOLES[access] = Console(access)
        return found


def _end(over: threading.Event, thread: threading.Thread) -> None:
    over.set()
    if thread is not threading.current_thread():
        thread.join(3.0)


def _number(data: bytes) -> int:
    return int.from_bytes(data[:4], "little")
