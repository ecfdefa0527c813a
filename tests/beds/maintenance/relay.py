"""A man in the middle on the Talos API: to us a machine in maintenance, to the machine whoever configures it.

It ends the TLS of who connects with a key of its own, makes TLS to the real machine, and hands every byte on, both
ways. What it was told is in `heard`, in the clear.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any

from prov_sim.machine.certificates import fingerprint, maintenance, server_context

PORT = 50000


class Relay:
    """Listens at `address` and relays to `machine`, from the beginning of a `with` to its end.

    port    of the machine
    honest  so many connections are passed through as they are before it gets in between: who looks first and talks
            then, sees the real machine and talks to the relay
    """

    def __init__(self, address: str, machine: str, *, port: int = PORT, honest: int = 0) -> None:
        issued = maintenance()
        self.address = address
        self.fingerprint = fingerprint(issued)
        self.heard = bytearray()
        """Every byte that clients sent inside TLS, once they had gone through with the relay's own."""
        self.connections = 0
        self._honest = honest
        self._machine, self._port = machine, port
        self._context = server_context(issued, required=False, protocols=("h2",))
        self._open: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Relay:
        self._thread.start()
        self._run(asyncio.start_server(self._accept, self.address, PORT))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def told(self) -> bytes:
        """All it heard, once every connection has ended that was made to it."""
        self._run(self._over())
        return bytes(self.heard)

    def _run(self, work: Coroutine[Any, Any, Any]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def _over(self) -> None:
        while self._open:
            await asyncio.wait(self._open)

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            self.connections += 1
            if self.connections <= self._honest:
                await self._pass(reader, writer)
            else:
                await self._listen_in(reader, writer)
        except OSError:  # a handshake that was broken off is one
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._machine, self._port)
        await asyncio.gather(_pump(reader, back), _pump(there, writer))

    async def _listen_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await writer.start_tls(self._context)
        away = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        away.check_hostname, away.verify_mode = False, ssl.CERT_NONE
        away.set_alpn_protocols(["h2"])
        there, back = await asyncio.open_connection(self._machine, self._port, ssl=away)
        await asyncio.gather(_pump(reader, back, self.heard), _pump(there, writer))


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, heard: bytearray | None = None) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            if heard is not None:
                heard += data
            sink.write(data)
            await sink.drain()
    with contextlib.suppress(OSError):
        sink.close()
