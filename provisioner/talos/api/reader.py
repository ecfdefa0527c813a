"""What a node says of itself to somebody who may read it.

A certificate of the cluster does not tell whether a machine runs from its disk: Talos serves its API under it as soon
as it has its configuration, and so while it installs itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from grpclib.client import Channel

from provisioner.sdk import ProviderError
from provisioner.talos.api.calls import cosi
from provisioner.talos.api.connections import Connections
from provisioner.talos.api.identity import Identity, trusting_context
from provisioner.talos.api.loop import shared_loop
from provisioner.talos.pki.bundle import KeyPair
from provisioner.talos.pki.certificate import talos_client

READER = "os:reader"
TIMEOUT_S = 5.0
_TTL = timedelta(minutes=10)
_FROM_DISK = ("booting", "running")


def runs_from_disk(host: str, ca: str, key: str, *, now: datetime) -> bool:
    """Whether a node of the cluster answers at `host`, and has booted from a disk that it is installed on.

    `ca` and `key` are the PEM texts of the authority of the Talos API. A node that installs itself, is silent, or is
    of another cluster does not.
    """
    pair = talos_client(KeyPair(ca, key), (READER,), now=now, ttl=_TTL)
    context = trusting_context(Identity(ca, pair.crt, pair.key), alpn="h2")
    once = Connections(lambda: context, handshake_s=TIMEOUT_S)
    try:
        return shared_loop().run(once.ask(host, _installed, timeout_s=TIMEOUT_S))
    except ProviderError:
        return False


async def _installed(channel: Channel) -> bool:
    status = await cosi.get(channel, cosi.STATUS) or {}
    if status.get("stage") not in _FROM_DISK:
        return False
    return await cosi.get(channel, cosi.SYSTEM_DISK) is not None
