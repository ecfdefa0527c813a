"""Connections to machines that answer, and to ports behind which nobody does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from provisioner.talos.api import connections
from provisioner.talos.api.connections import PATIENT_EVERY, PORT, Connections
from provisioner.talos.api.errors import NoAnswer
from provisioner.talos.api.identity import unverified_context

HOST = "127.77.0.1"
FOREVER_S = 600.0


def _context() -> Any:
    return unverified_context(alpn="h2")


async def _never(channel: Any) -> None:
    raise AssertionError("nothing is asked before the handshake")


async def _forwarding(test: Callable[[list[int]], Awaitable[None]]) -> None:
    """A port that accepts, and says nothing; it counts who comes."""
    came: list[int] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(1)
        await reader.read()  # the first message of the handshake, and then the end
        writer.close()

    server = await asyncio.start_server(accept, HOST, PORT)
    try:
        await test(came)
    finally:
        server.close()


async def _until(holds: Callable[[], bool]) -> None:
    """What was sent on loopback arrives, but not at once."""
    while not holds():
        await asyncio.sleep(0.001)


def test_a_port_that_is_only_forwarded_costs_a_short_wait_but_every_so_often() -> None:
    """Else each look at a machine that boots would wait for the time of a whole call; a slow one gets it at times.

    The first look is one of those: it is the only one of a command that plans or shows.
    """

    async def test(came: list[int]) -> None:
        asked = Connections(_context, handshake_s=0.01)
        for _ in range(2):
            patient = asyncio.ensure_future(asked.ask(HOST, _never, timeout_s=FOREVER_S))
            done, _ = await asyncio.wait([patient], timeout=0.2)
            assert not done
            patient.cancel()
            with pytest.raises(asyncio.CancelledError):
                await patient
            for _ in range(PATIENT_EVERY - 1):
                with pytest.raises(NoAnswer, match="did not answer"):
                    await asked.ask(HOST, _never, timeout_s=FOREVER_S)
        await _until(lambda: len(came) == 2 * PATIENT_EVERY)

    asyncio.run(_forwarding(test))


def test_the_time_of_a_call_bounds_the_handshake_too() -> None:
    async def test(came: list[int]) -> None:
        asked = Connections(_context, handshake_s=FOREVER_S)
        with pytest.raises(NoAnswer, match="did not answer"):
            await asked.ask(HOST, _never, timeout_s=0.01)

    asyncio.run(_forwarding(test))


def test_a_refusal_is_told_at_once() -> None:
    """Nobody waits where nobody listens, and it is no silence."""

    async def run() -> None:
        asked = Connections(_context, handshake_s=FOREVER_S)
        for _ in range(2 * connections.PATIENT_EVERY):
            with pytest.raises(NoAnswer, match="did not answer") as caught:
                await asked.ask(HOST, _never, timeout_s=FOREVER_S)
            assert "refused" in caught.value.detail

    asyncio.run(run())
