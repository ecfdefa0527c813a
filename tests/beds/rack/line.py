"""The serial consoles of a rack behind TCP ports, as a console server has them.

Who connects hears what was said since the power came on, and goes on hearing.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from attrs import define, field
from beds.rack.server import Server

PORT = 2301
_LOOK_S = 0.02


@define(eq=False)
class Line:
    """One server's console at an address."""

    host: str
    server: Server
    _listener: socket.socket | None = field(init=False, default=None)
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

    def _accept(self, listener: socket.socket) -> None:
        while not self._gone.is_set():
            try:
                wire, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(wire,), daemon=True).start()

    def _talk(self, wire: socket.socket) -> None:
        told = self.server.said_at
        with wire, suppress(OSError):
            while not self._gone.wait(_LOOK_S):
                lines = self.server.console[told:]
                told += len(lines)
                if lines:
                    wire.sendall("".join(f"{line}\r\n" for line in lines).encode())
