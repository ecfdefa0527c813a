"""The gRPC server of one machine: TLS, roles, and connections that end when the machine goes down."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from typing import Any, Final

from grpclib.const import Status
from grpclib.events import RecvRequest, listen
from grpclib.exceptions import GRPCError
from grpclib.protocol import H2Protocol
from grpclib.server import Server

from prov_sim.machine import ports
from prov_sim.machine.certificates import Issued, fingerprint, load, maintenance, only_for_clients, server_context
from prov_sim.machine.release import Release

ADMIN, OPERATOR, READER, BACKUP = "os:admin", "os:operator", "os:reader", "os:etcd:backup"
_READ: Final = frozenset({ADMIN, OPERATOR, READER})
_ROLES: Final[Mapping[str, frozenset[str]]] = {
    "/machine.MachineService/Reboot": frozenset({ADMIN, OPERATOR}),
    "/machine.MachineService/EtcdMemberList": _READ | {BACKUP},
    "/machine.MachineService/ServiceList": _READ,
    "/machine.MachineService/Version": _READ,
    "/cosi.resource.State/Get": _READ,
    "/cosi.resource.State/List": _READ,
}
"""Who may call what; a method that is missing here is for administrators."""

_ALSO_IN_MAINTENANCE: Final = frozenset({"/machine.MachineService/ApplyConfiguration"})
_SMALL_MAINTENANCE: Final = _ALSO_IN_MAINTENANCE | {"/cosi.resource.State/Get", "/cosi.resource.State/List"}
"""All that the service for maintenance has until 1.12."""


class MachineServer:
    """Listens on a machine's address, in maintenance (anybody reads) or configured (certificates and roles)."""

    def __init__(self, address: str, services: Sequence[Any], release: Release) -> None:
        self._address = address
        self._release = release
        self._services = services
        self._server: _Server | None = None
        self._context: ssl.SSLContext | None = None
        self.configured = False

    @property
    def listening(self) -> bool:
        return self._server is not None

    async def open_maintenance(self) -> str:
        """Opens with a certificate nobody can check, whose fingerprint it gives; raises OSError for a taken port."""
        issued = maintenance()
        await self._open(server_context(issued, required=False, protocols=("h2",)), configured=False)
        return fingerprint(issued)

    async def open_configured(self, issued: Issued) -> None:
        """Opens with a certificate of the cluster, for clients of `issued.clients`; raises OSError."""
        await self._open(server_context(issued, required=True, protocols=("h2",)), configured=True)

    def renew(self, issued: Issued) -> None:
        """Presents another certificate, and trusts further clients, from the next handshake on."""
        if self._context is not None and self.configured:
            load(self._context, issued)
            self._context.load_verify_locations(cadata="\n".join(issued.clients))

    def close(self) -> None:
        """Stops listening; what was answered already still reaches the clients."""
        self._end(cut=False)

    def cut(self) -> None:
        """Stops listening and breaks every connection, as loss of power does."""
        self._end(cut=True)

    def drop_connections(self) -> None:
        """Breaks every connection without stopping."""
        if self._server is not None:
            self._server.end_connections(cut=True)

    async def _open(self, context: ssl.SSLContext, *, configured: bool) -> None:
        self.close()
        server = _Server(self._services)
        listen(server, RecvRequest, self._admit)
        self.configured, self._context = configured, context
        await server.start(self._address, ports.TALOS, ssl=context)
        self._server = server

    def _end(self, *, cut: bool) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close_listener()
            server.end_connections(cut=cut)

    async def _admit(self, event: RecvRequest) -> None:
        if not self.configured:
            if not self._release.whole_api_in_maintenance and event.method_name not in _SMALL_MAINTENANCE:
                raise GRPCError(Status.UNIMPLEMENTED, f"unknown method {event.method_name} in maintenance mode")
            if READER in _roles_for(event.method_name) or event.method_name in _ALSO_IN_MAINTENANCE:
                return
            raise GRPCError(Status.PERMISSION_DENIED, "not authorized")
        if not _roles_for(event.method_name) & roles(event.peer.cert()):
            raise GRPCError(Status.PERMISSION_DENIED, "not authorized")
        if "node" in event.metadata or "nodes" in event.metadata:
            raise GRPCError(
                Status.UNIMPLEMENTED, "simulated machines do not forward requests; connect to each machine itself"
            )


def roles(certificate: Mapping[str, Any] | None) -> frozenset[str]:
    """The roles a client certificate gives: its organisations."""
    subject = (certificate or {}).get("subject", ())
    return frozenset(value for part in subject for name, value in part if name == "organizationName")


def _roles_for(method: str) -> frozenset[str]:
    return _ROLES.get(method, frozenset({ADMIN}))


class _Server(Server):
    """A grpclib server that knows its connections."""

    def __init__(self, services: Sequence[Any]) -> None:
        super().__init__(services)
        self.transports: set[asyncio.Transport] = set()

    def close_listener(self) -> None:
        # grpclib's own close() would also cancel requests whose answer is on its way.
        if self._server is not None:
            self._server.close()

    def end_connections(self, *, cut: bool) -> None:
        for transport in tuple(self.transports):
            if cut:
                transport.abort()
            else:
                transport.close()

    def _protocol_factory(self) -> H2Protocol:
        protocol = super()._protocol_factory()
        return _Protocol(self, protocol.handler, protocol.config, protocol.h2_config)


class _Protocol(H2Protocol):
    """One connection."""

    def __init__(self, server: _Server, *args: Any) -> None:
        super().__init__(*args)
        self._machine_server = server
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._machine_server.transports.add(transport)
        shown = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        if shown and not only_for_clients(shown):
            transport.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._transport is not None:
            self._machine_server.transports.discard(self._transport)
        super().connection_lost(exc)
