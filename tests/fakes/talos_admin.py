"""An administrator who has nothing but what `prov` hands over: the talosconfig, and the machines' addresses."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import yaml
from attrs import frozen
from google.protobuf.empty_pb2 import Empty
from grpclib.client import Channel

from provisioner.talos.api._wire.machine_grpc import MachineServiceStub
from provisioner.talos.api.identity import Identity, trusting_context

PORT = 50000
DEADLINE_S = 60.0


@frozen
class Admin:
    """A client of one machine; every call has a connection of its own."""

    host: str
    identity: Identity

    def call(self, method: str, request: Any = None) -> Any:
        return asyncio.run(self._call(method, request if request is not None else Empty()))

    async def _call(self, method: str, request: Any) -> Any:
        async with Channel(self.host, PORT, ssl=trusting_context(self.identity, alpn="h2")) as channel:
            return await getattr(MachineServiceStub(channel), method)(request, timeout=DEADLINE_S)


def admin_of(project: Path, cluster: str, host: str) -> Admin:
    """The administrator of a project's cluster, at one machine."""
    found = yaml.safe_load((project / ".prov" / f"{cluster}.talosconfig").read_text())
    context = found["contexts"][found["context"]]
    ca, crt, key = (base64.b64decode(context[name]).decode() for name in ("ca", "crt", "key"))
    return Admin(host, Identity(ca=ca, crt=crt, key=key))
