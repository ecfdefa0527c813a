"""A rack of servers on loopback, each behind a BMC of its own, in this process.

    with Rack(3, folder) as rack:
        rack.inventory()    # what a cluster file says of it
        rack.servers["r1u1"].installs

By default its clock is that of the computer, faster by `speed`; a test that hands in `clock` decides what time it is.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import define, field
from beds.bmc.exchange import Answer, Asked
from beds.rack.disc import write_image
from beds.rack.front import Front
from beds.rack.line import Line
from beds.rack.redfish import Redfish, epoch_of
from beds.rack.segment import Segment
from beds.rack.server import Plate, Server
from beds.rack.site import Site
from beds.rack.trouble import HEALTHY, Trouble

USER, PASSWORD = "admin", "planted-bmc-password"
BMC_PORT, SERVE_PORT, TALOS_PORT = 8443, 8069, 50000
START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
_FETCH_S = 60.0
_TICK_S = 0.02
_UNCHECKED = ssl.create_default_context()
_UNCHECKED.check_hostname, _UNCHECKED.verify_mode = False, ssl.CERT_NONE


@define(eq=False)
class Rack:
    """`troubles` by the name of a server; the others are well.

    block     the addresses of one that was leased before, such as `127.130.0`; empty for others
    heard     the inventory names the consoles
    attended  time does not go on before who listens to the consoles has read what was said
    context   the certificate that BMCs show; None for HTTP in the clear
    before    called with the server's name and each request to its BMC, which does not have it yet; may answer itself
    after     the same with the answer, before it is sent
    """

    count: int
    folder: Path
    troubles: Mapping[str, Trouble] = field(factory=dict)
    clock: Callable[[], float] | None = None
    speed: float = 1.0
    heard: bool = False
    block: str = ""
    context: ssl.SSLContext | None = None
    returns: bool = True
    foreign: bool = False
    attended: bool = False
    before: Callable[[str, Asked], Answer | None] = field(default=lambda name, asked: None)
    after: Callable[[str, Asked, Answer], None] = field(default=lambda name, asked, answer: None)
    servers: dict[str, Server] = field(init=False, factory=dict)
    bmcs: dict[str, Redfish] = field(init=False, factory=dict)
    fronts: dict[str, Front] = field(init=False, factory=dict)
    lines: dict[str, Line] = field(init=False, factory=dict)
    segment: Segment = field(init=False, factory=Segment)
    site: Site = field(init=False, factory=Site)
    rows: dict[str, dict[str, Any]] = field(init=False, factory=lambda: defaultdict(dict))
    ends: list[Callable[[], object]] = field(init=False, factory=list)
    """What else is to be ended with the rack."""
    image: Path = field(init=False)
    cmdline: Path = field(init=False)
    _block: str = field(init=False, default="")
    turn: threading.RLock = field(init=False, factory=threading.RLock)
    """Held by whoever looks at servers or does something to them."""
    _gone: threading.Event = field(init=False, factory=threading.Event)

    def __enter__(self) -> Rack:
        self._block = self.block or leased_block()
        self.image = write_image(self.folder / "metal-amd64.iso")
        self.cmdline = self.folder / "cmdline"
        self.cmdline.write_text("talos.platform=metal console=ttyS0")
        clock = self.clock or self._real_clock(time.monotonic())
        for number in range(self.count):
            self._add(number, clock)
        for front in (*self.fronts.values(), *self.lines.values()):
            front.open()
        if self.clock is None:
            threading.Thread(target=self._tick, name="rack", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._gone.set()
        for end in self.ends:
            end()
        for front in (*self.fronts.values(), *self.lines.values()):
            front.close()
        with self.turn:
            self.site.close()

    @property
    def serve(self) -> str:
        """Where prov may serve media: an address of this computer beside the BMCs."""
        return f"{self._block}.250:{SERVE_PORT}"

    def address(self, name: str) -> str:
        """The BMC's address as an inventory writes it."""
        scheme = "redfish+http" if self.context is None else "redfish"
        return f"{scheme}://{self.fronts[name].host}:{BMC_PORT}"

    def inventory(self) -> dict[str, dict[str, Any]]:
        """The rows of the inventory, with what `rows` has instead."""
        made = {
            name: {
                "bmc": self.address(name),
                "address": server.plate.address,
                "macs": [server.plate.mac],
                **({"console": self.lines[name].address} if self.heard else {}),
            }
            for name, server in self.servers.items()
        }
        return {name: row | self.rows.get(name, {}) for name, row in made.items()}

    def catch_up(self) -> None:
        """Lets every server do what is due."""
        with self.turn:
            for server in self.servers.values():
                server.catch_up()
        if self.attended:
            for line in self.lines.values():
                line.heard()

    def _add(self, number: int, clock: Callable[[], float]) -> None:
        name = f"r1u{number + 1}"
        plate = Plate(
            name,
            f"{self._block}.{number + 1}",
            f"6ae7f5b2-0000-4000-8000-{number + 1:012x}",
            f"S{number + 1:04}",
            f"52:54:00:00:00:{number + 1:02x}",
        )
        server = self.servers[name] = Server(
            plate,
            clock,
            self.site,
            _fetched,
            self.segment,
            self.troubles.get(name, HEALTHY),
            returns=self.returns,
            foreign=self.foreign,
        )
        self.lines[name] = Line(f"{self._block}.{number + 151}", server)
        self.bmcs[name] = Redfish(server, USER, PASSWORD, epoch_of(START), [])
        self.fronts[name] = Front(
            f"{self._block}.{number + 101}",
            BMC_PORT,
            lambda asked: self._answer(name, asked),
            lambda: server.trouble.deaf,
            lambda: server.trouble.slow_s,
            self.context,
        )

    def _answer(self, name: str, asked: Asked) -> Answer:
        instead = self.before(name, asked)
        if instead is not None:
            return instead
        with self.turn:
            answer = self.bmcs[name].answer(asked)
        self.after(name, asked, answer)
        return answer

    def _real_clock(self, start: float) -> Callable[[], float]:
        return lambda: (time.monotonic() - start) * self.speed

    def _tick(self) -> None:
        while not self._gone.wait(_TICK_S):
            self.catch_up()


def _fetched(url: str) -> bytes:
    """What a BMC or a firmware gets from a URL, whose certificate it does not look at; raises OSError."""
    with urllib.request.urlopen(url, timeout=_FETCH_S, context=_UNCHECKED) as answer:
        data: bytes = answer.read()
        return data


_LEASES: list[socket.socket] = []
"""One for each rack of this process; what served for one rack may listen until the end of the process."""


def leased_block() -> str:
    """A block 127.A.B of addresses that no other rack has, here or in other processes."""
    for block in _blocks():
        lease = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with suppress(OSError):
            lease.bind(f"\0prov-rack-block-{block}")
            _LEASES.append(lease)
            return block
        lease.close()
    raise AssertionError("there is no free block of addresses")


def _blocks() -> Iterator[str]:
    return (f"127.{a}.{b}" for a in range(130, 150) for b in range(256))
