"""The switch of a network without root: it carries Ethernet frames between the machines of one cluster.

Every machine has two sockets in the network's folder. `11.nic` is its network card; `11.up` is its own way out, the
address translation of its qemu process, which gives it its address, answers its names, and lets this computer in.
A way out serves its own machine only: it takes every packet it sees for one that wants out, so it must not see what
machines say to each other.

    11.nic ── frames to others ──► 12.nic, 13.nic, …
       └───── frames to the gateway, and broadcasts ──► 11.up

Sockets are found by name, so either side may be restarted and the other one goes on.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
from collections import deque
from pathlib import Path
from typing import Final, Protocol

SOCKET: Final = "switch"
NIC: Final = "nic"
UP: Final = "up"
WAYS_OUT: Final = b"\x52\x55"
"""How the hardware addresses of qemu's address translation begin."""
_LARGEST: Final = 65536
_KEPT: Final = 512
_AGAIN_S: Final = 0.001


class Line(Protocol):
    """Sends one frame to a socket; raises BlockingIOError while that takes no more, OSError where there is none."""

    def __call__(self, frame: bytes, to: str) -> object: ...


class Switch:
    """Where each frame goes. A machine whose socket takes no more gets its frames a little later, or not at all."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._where: dict[bytes, str] = {}
        self._nics: set[str] = set()
        self._kept: dict[str, deque[bytes]] = {}

    @property
    def busy(self) -> bool:
        """Whether frames wait for somebody to take them."""
        return bool(self._kept)

    def take(self, frame: bytes, sender: str) -> None:
        """Passes on a frame that came from the socket `sender`."""
        port, _, side = sender.partition(".")
        if side == UP:
            self._send(frame, f"{port}.{NIC}")
            return
        self._nics.add(sender)
        self._where[frame[6:12]] = sender
        target = frame[:6]
        if target.startswith(WAYS_OUT):
            self._send(frame, f"{port}.{UP}")
        elif target in self._where:
            self._send(frame, self._where[target])
        else:
            for nic in sorted(self._nics - {sender}):
                self._send(frame, nic)
            if target and target[0] & 1:
                self._send(frame, f"{port}.{UP}")

    def again(self) -> None:
        """Offers once more what was not taken."""
        waiting, self._kept = self._kept, {}
        for to, frames in waiting.items():
            for frame in frames:
                self._send(frame, to)

    def _send(self, frame: bytes, to: str) -> None:
        if to in self._kept:
            self._keep(frame, to)
            return
        try:
            self._line(frame, to)
        except BlockingIOError:
            self._keep(frame, to)
        except OSError:
            self._nics.discard(to)  # it is back with its next frame

    def _keep(self, frame: bytes, to: str) -> None:
        self._kept.setdefault(to, deque(maxlen=_KEPT)).append(frame)


def serve(folder: Path) -> None:
    """Switches frames in a folder until the process ends."""
    os.chdir(folder)  # names of sockets are short, paths to them need not be
    with contextlib.suppress(FileNotFoundError):
        os.unlink(SOCKET)
    line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    line.setblocking(False)
    line.bind(SOCKET)
    switch = Switch(lambda frame, to: line.sendto(frame, to))
    while True:
        ready, _, _ = select.select([line], [], [], _AGAIN_S if switch.busy else None)
        if switch.busy:
            switch.again()
        for _ in range(_KEPT if ready else 0):
            try:
                frame, sender = line.recvfrom(_LARGEST)
            except BlockingIOError:
                break
            if sender:
                switch.take(frame, sender)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
