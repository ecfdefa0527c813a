"""A real cluster, as the kinds see it: machines over gRPC, Kubernetes over HTTPS."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial

from provisioner.sdk import OperatorNeeded, ProviderError
from provisioner.talos.api.access import Applied, KubernetesNode, Outlook, Silent
from provisioner.talos.api.calls import etcd, machine
from provisioner.talos.api.connections import Call, Connections, T
from provisioner.talos.api.identity import Identity, signed_by, trusting_context, unverified_context
from provisioner.talos.api.kubernetes import Kubernetes, connect
from provisioner.talos.api.loop import Loop, shared_loop
from provisioner.talos.api.probe import probe
from provisioner.talos.pki.bundle import Bundle
from provisioner.talos.pki.certificate import kubernetes_admin, talos_admin

CALL_TIMEOUT_S = 10.0
_CERTIFICATE_TTL = timedelta(hours=24)
"""Our certificates live in memory only, so a day is plenty; half of it is used before a new one is made."""


class Cluster:
    """Access to a cluster's machines; implements `api.access.Access`.

    `bundle` is None before the cluster has secrets: then nothing can be asked. `clock` must be the real
    time, since the servers hold our certificates against theirs.
    """

    def __init__(
        self,
        name: str,
        *,
        bundle: Bundle | None,
        control_planes: Mapping[str, str],
        nodes: Mapping[str, str],
        endpoint: str,
        clock: Callable[[], datetime],
        loop: Loop | None = None,
    ) -> None:
        self.name = name
        self.control_planes = dict(control_planes)
        self.nodes = dict(nodes)
        self.endpoint = endpoint
        self._loop = loop or shared_loop()
        self._ca = bundle.os.crt if bundle else ""
        self._talos = _Credentials(bundle, _talos_identity, clock, alpn="h2")
        self._admin = _Credentials(bundle, _kubernetes_identity, clock)
        self._ours = Connections(self._talos.context)
        self._anyone = Connections(partial(unverified_context, alpn="h2"))

    def look(self, hosts: Iterable[str]) -> Mapping[str, Outlook]:
        """What each host is at; all are asked at once."""
        wanted = tuple(dict.fromkeys(hosts))
        if not wanted:
            return {}
        try:
            self._talos.context()
        except ProviderError as err:
            return dict.fromkeys(wanted, Silent(err.summary))
        return dict(zip(wanted, self._loop.run(self._look(wanted)), strict=True))

    async def _look(self, hosts: tuple[str, ...]) -> list[Outlook]:
        return await asyncio.gather(
            *(probe(host, self._ours, self._anyone, partial(signed_by, self._ca)) for host in hosts)
        )

    def apply(self, host: str, text: str, *, maintenance: bool) -> Applied:
        connections = self._anyone if maintenance else self._ours
        return self._ask(host, partial(machine.apply, text=text), connections)

    def bootstrap(self, host: str) -> None:
        self._ask(host, machine.bootstrap, self._ours)

    def reset(self, host: str, *, graceful: bool, reboot: bool) -> None:
        self._ask(host, partial(machine.reset, graceful=graceful, reboot=reboot), self._ours)

    def remove_member(self, host: str, member_id: int) -> None:
        self._ask(host, partial(etcd.remove, member_id=member_id), self._ours)

    def kubernetes_nodes(self) -> Mapping[str, KubernetesNode]:
        return self._kubernetes().nodes()

    def delete_kubernetes_node(self, name: str) -> None:
        self._kubernetes().delete_node(name)

    def _ask(self, host: str, call: Call[T], connections: Connections) -> T:
        return self._loop.run(connections.ask(host, call, timeout_s=CALL_TIMEOUT_S))

    def _kubernetes(self) -> Kubernetes:
        endpoint = self.endpoint or next(iter(self.control_planes.values()), "")
        if not endpoint:
            raise OperatorNeeded(
                "the address of the Kubernetes API is not known",
                remedy="apply the cluster file first; the endpoint is made with it",
            )
        return Kubernetes(lambda: connect(endpoint, self._admin.context()))


class _Credentials:
    """A TLS context around a certificate of ours, made at the first use and renewed in good time."""

    def __init__(
        self,
        bundle: Bundle | None,
        identity: Callable[[Bundle, datetime], Identity],
        clock: Callable[[], datetime],
        alpn: str = "",
    ) -> None:
        self._bundle = bundle
        self._identity = identity
        self._clock = clock
        self._alpn = alpn
        self._lock = threading.Lock()
        self._made: tuple[datetime, ssl.SSLContext] | None = None

    def context(self) -> ssl.SSLContext:
        """The current context; raises OperatorNeeded while the cluster has no secrets."""
        if self._bundle is None:
            raise OperatorNeeded(
                "the cluster's secrets are not known yet",
                remedy="apply the cluster file first; the secrets are made with it",
            )
        with self._lock:
            now = self._clock()
            if self._made is None or now - self._made[0] > _CERTIFICATE_TTL / 2:
                self._made = now, trusting_context(self._identity(self._bundle, now), alpn=self._alpn)
            return self._made[1]


def _talos_identity(bundle: Bundle, now: datetime) -> Identity:
    pair = talos_admin(bundle.os, now=now, ttl=_CERTIFICATE_TTL)
    return Identity(ca=bundle.os.crt, crt=pair.crt, key=pair.key)


def _kubernetes_identity(bundle: Bundle, now: datetime) -> Identity:
    pair = kubernetes_admin(bundle.k8s, now=now, ttl=_CERTIFICATE_TTL)
    return Identity(ca=bundle.k8s.crt, crt=pair.crt, key=pair.key)
