"""What all views of one cluster share: our certificates for it, and the connections made with them.

The core makes a new view whenever an address becomes known, which is hundreds of times while a large cluster is
made. Certificates and open connections outlive these views: a handshake costs more than the call it is for.
"""

from __future__ import annotations

import functools
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from provisioner.sdk import OperatorNeeded
from provisioner.talos.api.connections import Connections
from provisioner.talos.api.identity import Identity, trusting_context, unverified_context
from provisioner.talos.api.loop import Loop, shared_loop
from provisioner.talos.pki.bundle import Bundle
from provisioner.talos.pki.certificate import kubernetes_admin, talos_admin

_CERTIFICATE_TTL = timedelta(hours=24)
"""Our certificates live in memory only, so a day is plenty; half of it is used before a new one is made."""


class Links:
    """Ways to the machines of the cluster whose secrets are `bundle`.

    `bundle` is None before the cluster has secrets: then nothing can be asked. `clock` must be the real
    time, since the servers hold our certificates against theirs.
    """

    def __init__(self, bundle: Bundle | None, clock: Callable[[], datetime], loop: Loop) -> None:
        self.loop = loop
        self.ca = bundle.os.crt if bundle else ""
        self.talos = Credentials(bundle, _talos_identity, clock, alpn="h2")
        self.admin = Credentials(bundle, _kubernetes_identity, clock)
        self.ours = Connections(self.talos.context)
        self.anyone = Connections(functools.cache(partial(unverified_context, alpn="h2")))


@functools.lru_cache(maxsize=4)
def links_of(bundle: Bundle | None) -> Links:
    """The process's links to a cluster."""
    return Links(bundle, lambda: datetime.now(UTC), shared_loop())


class Credentials:
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
