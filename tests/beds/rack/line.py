"""The serial consoles of a rack behind TCP ports, as a console server has them.

Who connects hears what was said since the power came on, and goes on hearing.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

from attrs import define, field
from beds.rack.server import Server

PORT = 2301
_LOOK_S = 0.02
_READ_S = 30.0


@define(eq=False)
class Line:
    """One server's console at an address."""

    host: str
    server: Server
    _listener: socket.socket | None = field(init=False, default=None)
    _told: dict[socket.socket, int] = field(init=False, factory=dict)
    """Who is connected, and how many lines each was sent."""
    _gone: threading.Event = field(init=False, factory=threading.Event)

    @property
    def address(self) -> str:
        return f"tcp://{self.host}:{PORT}"

    def open(self) -> None:
        self._listener = socket.create_server((self.host, PORT))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        self._gone.set()
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes whoever waits in `accept`
            self._listener.close()

    def heard(self) -> None:
        """Waits until somebody listens, and has read all that was said."""
        end = time.monotonic() + _READ_S
        while not self._all_read() and time.monotonic() < end:
            time.sleep(_LOOK_S / 4)

    def _all_read(self) -> bool:
        told = dict(self._told)
        said = len(self.server.console)
        return bool(told) and all(count >= said and not _unread(wire) for wire, count in told.items())

    def _accept(self, listener: socket.socket) -> None:
        while not self._gone.is_set():
            try:
                wire, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(wire,), daemon=True).start()

    def _talk(self, wire: socket.socket) -> None:
        self._told[wire] = self.server.said_at
        try:
            with wire, suppress(OSError):
                while not self._gone.wait(_LOOK_S):
                    lines = self.server.console[self._told[wire] :]
                    if lines:
                        wire.sendall("".join(f"{line}\r\n" for line in lines).encode())
                    self._told[wire] += len(lines)
        finally:
            del self._told[wire]


def _unread(wire: socket.socket) -> bool:
    """Whether bytes are on their way to the other end, or wait there, by the kernel's list of connections."""
    try:
        (host, port), (_, peer) = wire.getsockname(), wire.getpeername()
    except OSError:
        return False  # it has ended
    here = "".join(f"{int(part):02X}" for part in reversed(host.split("."))) + f":{port:04X}"
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, queues, *_ = row.split()
        ends = {local, remote}
        if here in ends and any(end.endswith(f":{peer:04X}") for end in ends) and queues != "00000000:00000000":
            return True
    return False
