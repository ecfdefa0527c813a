"""A load balancer: one address whose ports lead to the control planes of a group."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from attrs import frozen

from prov_sim.machine import ports
from prov_sim.machine.machine import Machine

PORTS: Final = (ports.KUBERNETES, ports.TALOS)

_CHUNK: Final = 65536


@frozen
class BalancerOrder:
    """A balancer as it was asked for."""

    key: str
    lineage: str
    name: str
    group: str


class Balancer:
    """Forwards TCP, each connection to the next live control plane; without one it resets the connection."""

    def __init__(
        self, order: BalancerOrder, balancer_id: str, address: str, machines: Callable[[], Sequence[Machine]]
    ) -> None:
        self.order = order
        self.id = balancer_id
        self.address = address
        self._machines = machines
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._turn = 0

    async def open(self) -> None:
        """Raises OSError when a port is taken."""
        for port in PORTS:
            self._servers.append(await asyncio.start_server(self._accept(port), self.address, port))

    def close(self) -> None:
        for listener in self._servers:
            listener.close()
        for connection in self._connections:
            connection.cancel()

    def backends(self, port: int) -> list[Machine]:
        """Control planes of the group on which the port answers."""
        machines = [machine for machine in self._machines() if machine.order.group == self.order.group]
        if port == ports.KUBERNETES:
            return [machine for machine in machines if machine.kubernetes_up]
        return [machine for machine in machines if machine.is_control_plane and machine.up]

    def _accept(self, port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.get_running_loop().create_task(self._serve(port, reader, writer))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

        return accept

    async def _serve(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        backends = self.backends(port)
        self._turn += 1
        if not backends:
            writer.transport.abort()
            return
        backend = backends[self._turn % len(backends)]
        try:
            back_reader, back_writer = await asyncio.open_connection(backend.address, port)
        except OSError:
            writer.transport.abort()
            return
        try:
            await asyncio.gather(_pump(reader, back_writer), _pump(back_reader, writer))
        finally:
            back_writer.transport.abort()
            writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.transport.abort()
