"""What was asked of the boot service, and by whom: the first thing to look at when a host does not come up."""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime

from attrs import define, evolve, field, frozen

KEPT = 20_000


@frozen
class Request:
    """One request, or a row of like ones for pieces of the same thing.

    at      when it was answered
    host    whose it is, empty where nobody can tell
    what    `iso`, `uki`, `config`, `script`, `kernel`, `initramfs`, `menu`, or `nothing` for what there is not
    status  of the answer
    peer    the address that asked
    sent    bytes of the body
    why     for people, where it was refused
    number  counts them, from 1; the log gives it
    said    what the machine said it is, such as `uuid=… mac=…`; empty where it was not asked
    """

    at: datetime
    host: str
    what: str
    status: int
    peer: str
    sent: int = 0
    why: str = ""
    said: str = ""
    number: int = 0


@define
class RequestLog:
    """The newest requests, in their order. BMCs read a disc in many pieces: those follow each other as one entry."""

    _kept: deque[Request] = field(init=False, factory=lambda: deque(maxlen=KEPT))
    _count: int = field(init=False, default=0)
    _lock: threading.Lock = field(init=False, factory=threading.Lock)

    def add(self, request: Request) -> None:
        with self._lock:
            last = self._kept[-1] if self._kept else None
            if last is not None and request.status == 206 and _key(last) == _key(request):
                self._kept[-1] = evolve(request, sent=last.sent + request.sent, number=last.number)
            else:
                self._count += 1
                self._kept.append(evolve(request, number=self._count))

    def all(self, host: str = "") -> list[Request]:
        """All, or those of a host."""
        with self._lock:
            return [request for request in self._kept if host in ("", request.host)]


def _key(request: Request) -> tuple[str, str, int, str]:
    return request.host, request.what, request.status, request.peer
