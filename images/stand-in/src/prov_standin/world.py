"""The world as one machine of its own sees it: itself, and the machines of its cluster it has heard of."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import secrets
import socket
import time
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any, Final

from prov_sim.changes import CONTROL_PLANES, Changes
from prov_sim.faults import FaultBook
from prov_sim.machine.certificates import BadCertificate, Issued, load_authority
from prov_sim.machine.credentials import trusted
from prov_sim.machine.documents import MachineConfig
from prov_sim.machine.etcd import Domain
from prov_sim.machine.machine import Machine
from prov_sim.machine.order import EtcdData, Peer

from prov_standin.console import say
from prov_standin.gossip import Gossip
from prov_standin.peers import Wire, broadcasts, key_of
from prov_standin.signing import Request, answer

_BEAT_S: Final = 1.0
_SOON_S: Final = 0.05


class World:
    """What a machine needs of its surroundings. There is one machine, and at most one domain at a time."""

    def __init__(self, addresses: Sequence[tuple[str, str]]) -> None:
        self.changes = Changes()
        self.random = Random(secrets.randbits(128))  # noqa: S311  (names and ids, not secrets)
        self.faults = FaultBook()
        self._addresses = addresses
        self._machine: Machine | None = None
        self._domain: Domain | None = None
        self._gossip: Gossip | None = None
        self._wire: Wire | None = None
        self._beat: asyncio.Task[None] | None = None
        self._request: Request | None = None
        self._issued: Issued | None = None
        self._news = asyncio.Event()
        self._endpoint = ""

    # What a machine asks of its surroundings.

    def inhabit(self, machine: Machine) -> None:
        """Tells whose world this is."""
        self._machine = machine

    def runs(self, machine: Machine) -> None:
        config = machine.active
        if config is None and self._beat is not None:
            self._speak()  # others shall know at once that we are going
            self._beat.cancel()
            self._beat = None
        elif config is not None and self._beat is None:
            self.domain(config)
            self._beat = asyncio.get_running_loop().create_task(self._live(config))

    def erased(self, machine: Machine, disk: str) -> None:
        say(f"erased {disk}")

    def count(self, method: str) -> None:
        """Nobody counts here."""

    def domain(self, config: MachineConfig) -> Domain:
        if self._domain is None or self._domain.name != config.domain_name:
            assert self._machine is not None
            machine = self._machine
            self._domain = Domain(config.domain_name, self.random)
            self._gossip = Gossip(machine.id, self._domain, machine, self._own_member)
        return self._domain

    def signs(self, config: MachineConfig, names: Sequence[str]) -> bool:
        return self.certificate(config, names) is not None

    def certificate(self, config: MachineConfig, names: Sequence[str]) -> Issued | None:
        """A worker's certificate, once a control plane has sent it; asking for it begins here."""
        if self._request is None or self._request.names != tuple(names):
            self._request, self._issued = Request.of(names), None
            self.tell()
        return self._issued

    def peers(self, config: MachineConfig) -> Iterable[Peer]:
        own = [self._machine] if self._machine is not None and self._machine.up else []
        return [*own, *(self._gossip.live() if self._gossip is not None else ())]

    # What etcd keeps.

    def document(self, data: EtcdData) -> dict[str, Any]:
        """An etcd as plain data, and which member of it is ours."""
        assert self._gossip is not None
        return {"own": f"{data.member.id:x}", "etcd": self._gossip.document(data.etcd)}

    def restore(self, kept: dict[str, Any], config: MachineConfig) -> EtcdData | None:
        """The etcd of a document, as part of the domain; None where our member is not in it."""
        self.domain(config)
        assert self._gossip is not None
        etcd = self._gossip.adopt(kept["etcd"])
        member = etcd.members.get(int(kept["own"], 16))
        return EtcdData(etcd, member) if member is not None else None

    # Talking.

    def tell(self) -> None:
        """Something is new: others hear it soon."""
        self._news.set()

    async def _live(self, config: MachineConfig) -> None:
        self._wire = Wire(key_of(config), self._receive)
        await self._wire.open()
        try:
            while True:
                self._endpoint = await _address_of(config.endpoint_host)
                self._speak()
                if self._gossip is not None and self._gossip.expire(time.monotonic()):
                    self._heard()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), _BEAT_S)
                await asyncio.sleep(_SOON_S)
                self._news.clear()
        finally:
            self._wire.close()

    def _speak(self) -> None:
        if self._wire is None or self._gossip is None or self._machine is None:
            return
        message = _said(self._machine) | {"etcds": self._gossip.documents()}
        if self._request is not None and self._issued is None:
            message["request"] = self._request.pem
        known = [remote.source for remote in self._gossip.remotes.values()]
        to = {*broadcasts(self._addresses), *known, self._endpoint} - {"", *self._own_addresses()}
        self._wire.send(message, sorted(to))

    def _receive(self, message: dict[str, Any], source: str) -> None:
        machine, gossip = self._machine, self._gossip
        if machine is None or gossip is None or message["said"]["id"] == machine.id:
            return
        before = gossip.remotes.get(str(message["said"]["id"]))
        first = before is None or not before.said
        if "etcds" in message and gossip.hear(message["said"], message["etcds"], source, time.monotonic()):
            self._heard()
        if first:
            say(f"peer {message['said']['hostname']} at {source}")
            self.tell()
        if "request" in message:
            self._sign(message["request"], source)
        if "issued" in message:
            self._take(message["issued"])

    def _sign(self, request: str, source: str) -> None:
        config = self._machine.active if self._machine is not None else None
        machine = self._machine
        if machine is None or config is None or self._wire is None or not (machine.is_control_plane and machine.up):
            return
        authority = load_authority(config.get("machine", "ca", "crt"), config.get("machine", "ca", "key"))
        with contextlib.suppress(ValueError, BadCertificate):
            self._wire.send(_said(machine) | {"issued": answer(authority, request)}, [source])

    def _take(self, certificate: str) -> None:
        config = self._machine.active if self._machine is not None else None
        if config is None or self._request is None or self._issued is not None:
            return
        self._issued = self._request.issued(certificate, trusted(config))
        if self._issued is not None and self._machine is not None:
            say("certificate signed")
            self._machine.renew_certificates()
            self._heard()

    def _heard(self) -> None:
        """Something of others is different: whoever waits for it looks again, and the disk keeps it."""
        machine = self._machine
        if machine is None:
            return
        self.changes.announce(machine.id, CONTROL_PLANES)
        if machine.disk.etcd is not None:
            machine.keep()

    def _own_member(self) -> int:
        data = self._machine.disk.etcd if self._machine is not None else None
        return data.member.id if data is not None else 0

    def _own_addresses(self) -> list[str]:
        return [text.partition("/")[0] for _, text in self._addresses]


def _said(machine: Machine) -> dict[str, Any]:
    """What a machine says of itself."""
    data = machine.disk.etcd
    running = machine.etcd_state == "Running" and data is not None and not data.removed
    said = {
        "id": machine.id,
        "address": machine.address,
        "hostname": machine.hostname,
        "type": "controlplane" if machine.is_control_plane else "worker",
        "system": machine.operating_system,
        "up": machine.up,
        "kubelet": machine.hostname if machine.kubelet_up else "",
        "member": f"{data.member.id:x}" if running and data is not None else "",
    }
    return {"said": said}


async def _address_of(host: str) -> str:
    """The IPv4 address of a host; empty where it has none, or nobody knows it now."""
    with contextlib.suppress(ValueError):
        return str(ipaddress.IPv4Address(host))
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, family=socket.AF_INET)
    except OSError:
        return ""
    return str(found[0][4][0]) if found else ""
