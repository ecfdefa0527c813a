"""A BMC that speaks IPMI, in this process: pyghmi's server side, with a machine behind it that is a few variables.

It takes cipher suite 3 only, and says so in an answer to an offer of 17 as if that were it. What the driver keeps of
pyghmi's is executed anew for it (see `prov_metal.bmc.lan`), so the two share no socket and no session.
"""

from __future__ import annotations

import contextlib
import functools
import struct
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pyghmi.ipmi.bmc import Bmc
from pyghmi.ipmi.private.serversession import ServerSession
from pyghmi.ipmi.private.session import Session

GUID = UUID("12345678-9abc-4def-8123-456789abcdef")


class Peer(Bmc):  # type: ignore[misc]
    """Use it as a context. `asked` has the network function, command and data of every command."""

    def __init__(self, users: dict[str, str] | None = None) -> None:
        super().__init__(users or {"admin": "hunter2"}, port=0, address="127.0.0.1")
        self.port = self.serversocket.getsockname()[1]
        self.on = False
        self.flags = (0, 0)
        self.guid: bytes = GUID.bytes_le
        self.fru: bytes = b""
        self.log: list[bytes] = []
        self.codes: dict[tuple[int, int], int] = {}
        """Answered to a network function and command instead of doing it."""
        self.mute = False
        self.longest = 255
        self.iohandler = lambda data: None
        self.listener = bytes(4)
        self.asked: list[tuple[int, int, bytes]] = []

    @property
    def address(self) -> str:
        return f"ipmi://127.0.0.1:{self.port}"

    def __enter__(self) -> Peer:
        _served()
        return self

    def __exit__(self, *_: object) -> None:
        self.mute = True

    @property
    def left(self) -> int:
        """How many sessions were given back."""
        return _LEFT[self]

    def is_active(self) -> bool:
        return True

    def say(self, text: bytes) -> None:
        """Writes on the serial console, to whoever listens."""
        self.sol.send_data(text)

    def writes(self) -> Sequence[tuple[int, int, bytes]]:
        """Commands that change the machine or what it boots from."""
        return [asked for asked in self.asked if asked[0] == 0 and asked[1] in (0x02, 0x08)]

    def handle_raw_request(self, request: Any, session: Any) -> None:
        asked = (request["netfn"], request["command"], bytes(request["data"]))
        self.asked.append(asked)
        if self.mute:
            return
        if asked[0] == 6 and asked[1] in (0x48, 0x49) and asked[:2] not in self.codes:
            if asked[1] == 0x48:
                self.listener = session.managedsessionid
            super().handle_raw_request(request, session)
            if self.sol is not None:
                self.sol.maxoutcount = 64
            return
        code, data = self._answer(*asked)
        session.send_ipmi_response(code=code, data=data)

    def _answer(self, netfn: int, command: int, data: bytes) -> tuple[int, bytes]:
        if (netfn, command) in self.codes:
            return self.codes[netfn, command], b""
        match netfn, command:
            case 0, 0x01:
                return 0, bytes((int(self.on), 0, 0))
            case 0, 0x02:
                self.on = data[0] == 1
                return 0, b""
            case 0, 0x08:
                if data[0] == 5:
                    self.flags = (data[1], data[2])
                return 0, b""
            case 0, 0x09:
                return 0, bytes((1, 5, *self.flags, 0, 0, 0))
            case 6, 0x01:
                return 0, bytes((0x20, 1, 0x02, 0x45, 0x02, 0xBF, 0, 0, 0, 0, 0))
            case 6, 0x37:
                return 0, self.guid
            case 6, 0x4B:
                return 0, self.listener + bytes((1, *bytes(7)))
            case 0x0A, 0x10:
                return (0, struct.pack("<HB", len(self.fru), 0)) if self.fru else (0xCB, b"")
            case 0x0A, 0x11:
                at, count = struct.unpack("<HB", data[1:4])
                piece = self.fru[at : at + count]
                return (0xCA, b"") if count > self.longest else (0, bytes((len(piece),)) + piece)
            case 0x0A, 0x43:
                return self._logged(struct.unpack_from("<H", data, 2)[0])
        return 0xC1, b""

    def _logged(self, number: int) -> tuple[int, bytes]:
        """A log whose entries are numbered from 1 on."""
        number = {0: 1, 0xFFFF: len(self.log)}.get(number, number)
        if not 0 < number <= len(self.log):
            return 0xCB, b""
        following = number + 1 if number < len(self.log) else 0xFFFF
        return 0, struct.pack("<HH", following, number) + self.log[number - 1][2:]


_LEFT: Counter[Any] = Counter()


def _note_end(session: Any) -> None:
    _LEFT[session.bmc] += 1


ServerSession.close_server_session = _note_end  # pyghmi's does nothing, and tells nobody


@functools.cache
def _served() -> threading.Thread:
    """The one thread that answers for all peers of the process; pyghmi has them in common."""

    def serve() -> None:
        while True:
            with contextlib.suppress(Exception):
                Session.wait_for_rsp(0.1)  # a socket that is new is seen only in the next round

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


def fru(maker: str, name: str, serial: str) -> bytes:
    """A FRU with a product area, as the standard has it: a common header, then the area in units of 8 bytes."""
    fields = [maker, name, "", "", serial, "", ""]
    texts = b"".join(bytes((0xC0 | len(text),)) + text.encode() for text in fields) + b"\xc1"
    area = bytearray(b"\x01\x00\x19" + texts)
    area += bytes(-(len(area) + 1) % 8)
    area[1] = (len(area) + 1) // 8
    area.append(-sum(area) & 0xFF)
    header = bytearray((1, 0, 0, 0, 1, 0, 0))
    header.append(-sum(header) & 0xFF)
    return bytes(header + area)


def entry(seconds: int, sensor_type: int, number: int, kind: int, *data: int) -> bytes:
    """An entry of the log, without its number."""
    return struct.pack("<HBIHBBBB3B", 0, 2, seconds, 0x20, 4, sensor_type, number, kind, *data)
