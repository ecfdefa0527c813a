"""Connections to machines, kept open for a moment between calls.

A cluster is polled every second or so, and a handshake costs more than a call: an idle connection stays for
`IDLE_S`. One that failed in any way is closed at once, so a machine that went away without a word costs one
time-out, never two.

A port that somebody forwards, such as that of a virtual machine, accepts before anybody listens behind it, and then
says nothing. So a machine that did not answer last time has less time for its handshake than for the rest; the first
time, and every `PATIENT_EVERY`th after that, it has all of it, for some are only slow, and many commands look once.
"""

from __future__ import annotations

import asyncio
import resource
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from attrs import define
from grpclib.client import Channel
from grpclib.config import Configuration
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError

from provisioner.talos.api.replies import from_status, from_transport

T = TypeVar("T")
Call: TypeAlias = Callable[[Channel], Awaitable[T]]

PORT = 50000
IDLE_S = 10.0
IN_FLIGHT = 64
"""Machines asked at one moment; more wait their turn, which their time-out does not count."""
KEPT_AT_MOST = 1024
HANDSHAKE_S = 1.5
"""For the handshake of a machine that did not answer last time."""
PATIENT_EVERY = 4
_FILES_FOR_OTHERS = 256
"""Left to the rest of the process: the state, calls in flight, providers."""

_32_MIB = 32 * 2**20
_CONFIG = Configuration(http2_connection_window_size=_32_MIB, http2_stream_window_size=_32_MIB)


def room_for_connections(files: int) -> int:
    """How many connections of one sort stay open where a process may open `files` files.

    Beyond that they are closed after use. There are two sorts: to machines of ours, and to those in maintenance.
    """
    return min(KEPT_AT_MOST, max(64, (files - _FILES_FOR_OTHERS) // 2))


@define
class _Open:
    channel: Channel
    users: int = 0
    closing: asyncio.TimerHandle | None = None


class Connections:
    """Connections under one TLS setting. To be used on one event loop only."""

    def __init__(self, context: Callable[[], ssl.SSLContext], *, handshake_s: float = HANDSHAKE_S) -> None:
        self._context = context
        self._handshake_s = handshake_s
        self._answers: set[str] = set()
        self._silences: Counter[str] = Counter()
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._room = room_for_connections(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        self._open: dict[str, _Open] = {}

    async def ask(self, host: str, call: Call[T], *, timeout_s: float) -> T:
        """Makes one call, or several that share a connection; raises the errors of `api.errors`.

        `timeout_s` covers connecting too.
        """
        async with self._slots:
            kept = self._borrow(host)
            sound = False
            try:
                async with asyncio.timeout(timeout_s):
                    await self._meet(host, kept.channel)
                    answer = await call(kept.channel)
                sound = True
                return answer
            except GRPCError as err:
                sound = True
                raise from_status(host, err) from err
            except (OSError, StreamTerminatedError, ProtocolError) as err:
                raise from_transport(host, err) from err
            finally:
                self._give_back(host, kept, sound=sound)

    async def _meet(self, host: str, channel: Channel) -> None:
        """Connects, if that is not done yet; raises TimeoutError where the peer says nothing for too long."""
        hasty = host not in self._answers and self._silences[host] % PATIENT_EVERY != 0
        try:
            async with asyncio.timeout(self._handshake_s if hasty else None):
                await channel.__connect__()
        except (TimeoutError, asyncio.CancelledError):  # the second where the time of the whole call is over
            self._answers.discard(host)
            self._silences[host] += 1
            raise
        self._answers.add(host)

    def _borrow(self, host: str) -> _Open:
        kept = self._open.get(host)
        if kept is None:
            channel = Channel(host, PORT, ssl=self._context(), config=_CONFIG)
            kept = self._open[host] = _Open(channel)
        if kept.closing is not None:
            kept.closing.cancel()
            kept.closing = None
        kept.users += 1
        return kept

    def _give_back(self, host: str, kept: _Open, *, sound: bool) -> None:
        kept.users -= 1
        if not sound or len(self._open) > self._room:
            self._forget(host, kept)
        if kept.users:
            return
        if self._open.get(host) is not kept:
            kept.channel.close()
        else:
            kept.closing = asyncio.get_running_loop().call_later(IDLE_S, self._close_idle, host, kept)

    def _forget(self, host: str, kept: _Open) -> None:
        if self._open.get(host) is kept:
            del self._open[host]

    def _close_idle(self, host: str, kept: _Open) -> None:
        self._forget(host, kept)
        kept.channel.close()


async def server_certificate(host: str, context: ssl.SSLContext, *, timeout_s: float) -> bytes:
    """The certificate that the host shows, in DER; raises OSError where there is no TLS handshake."""
    async with asyncio.timeout(timeout_s):
        _, writer = await asyncio.open_connection(host, PORT, ssl=context)
    try:
        tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
        return tls.getpeercert(binary_form=True) or b""
    finally:
        writer.close()
