"""A configuration for a machine in maintenance, and whose hands it comes into.

In maintenance the API answers anyone, with a certificate that the machine has just made itself. Who listens at its
address can relay everything that is said: to us a machine in maintenance, to the machine somebody who configures it.
What tells them apart is the fingerprint of the machine's key, which Talos prints on its console, where nobody on the
network writes.

    ask what certificate is shown, and send nothing
      ├─ its key is another one ──► AnotherKey
      └─ it is the printed one ───► connect anew, with that certificate as the only one OpenSSL accepts
            ├─ the peer cannot prove that key ──► the handshake fails: AnotherKey
            └─ it has proven it ────────────────► the first byte of ours goes out

Who hands over without a key (`to_anyone`) hands it to whoever answers, and says so by the name of the call.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ssl
from collections.abc import Coroutine
from functools import partial
from typing import Any

from attrs import frozen
from grpclib.client import Channel

from provisioner.sdk import OperatorNeeded
from provisioner.talos.api.calls import cosi, machine
from provisioner.talos.api.connections import Call, Connections, T, server_certificate
from provisioner.talos.api.errors import Distrusted, Rejected
from provisioner.talos.api.identity import key_of, pinned_context, unverified_context
from provisioner.talos.api.loop import shared_loop
from provisioner.talos.api.replies import from_transport
from provisioner.talos.config.encode import decode
from provisioner.talos.config.redact import mark_secrets, without_secrets

TIMEOUT_S = 10.0


class AnotherKey(OperatorNeeded):
    """The peer has another key than the machine that is meant. Nothing was sent to it."""

    def __init__(self, host: str, wanted: str, shown: str) -> None:
        super().__init__(
            "somebody else answers in place of the machine",
            detail=f"{host}: the machine's key is {wanted}, and {f'{shown} was shown' if shown else 'not that'}",
            remedy="find out who answers at this address: another machine, or somebody in between",
        )
        self.shown = shown


@frozen
class Waiting:
    """A machine in maintenance, as it says of itself; texts as it writes them, MACs of its physical links."""

    stage: str
    uuid: str
    serial: str
    macs: tuple[str, ...]


def shown_key(host: str) -> str:
    """The fingerprint of the key whose certificate is shown at an address: claimed, not proven. Raises NoAnswer."""
    return key_of(shared_loop().run(_certificate(host)))


def facts(host: str, key: str) -> Waiting:
    """What the machine with this key says of itself; raises AnotherKey, and the errors of `api.errors`."""
    return shared_loop().run(_pinned(host, key, _facts))


def facts_of_anyone(host: str) -> Waiting:
    """What somebody says of himself who answers there."""
    return shared_loop().run(_unpinned(host, _facts))


def hand_over(host: str, text: str, key: str) -> None:
    """Gives the configuration `text` to the machine with this key and to no other.

    `key` is a fingerprint as `identity.key_of` makes it; ValueError for what is none. Raises AnotherKey, and the
    errors of `api.errors`; NoAnswer leaves open whether the machine has taken it.
    """
    shared_loop().run(_told(_pinned(host, key, partial(machine.apply, text=text)), text))


def hand_over_to_anyone(host: str, text: str) -> None:
    """Gives the configuration `text` to whoever answers there. Errors as of `hand_over`."""
    shared_loop().run(_told(_unpinned(host, partial(machine.apply, text=text)), text))


def is_key(text: str) -> bool:
    """Whether this is a fingerprint as Talos prints it: base64 of 32 bytes."""
    try:
        return len(base64.b64decode(text, validate=True)) == 32
    except (binascii.Error, ValueError):
        return False


async def _told(work: Coroutine[Any, Any, T], text: str) -> T:
    """A refusal without the secrets of the configuration that it may quote."""
    try:
        return await work
    except Rejected as err:
        raise Rejected(err.host, without_secrets(err.message, mark_secrets(decode(text)))) from None


async def _pinned(host: str, key: str, call: Call[T]) -> T:
    if not is_key(key):
        raise ValueError("a fingerprint is base64 of 32 bytes")
    shown = await _certificate(host)
    if not hmac.compare_digest(key_of(shown), key):
        raise AnotherKey(host, key, key_of(shown))
    try:
        return await _ask(host, pinned_context(shown, alpn="h2"), call)
    except Distrusted:
        raise AnotherKey(host, key, "") from None


def _unpinned(host: str, call: Call[T]) -> Coroutine[Any, Any, T]:
    return _ask(host, unverified_context(alpn="h2"), call)


async def _ask(host: str, context: ssl.SSLContext, call: Call[T]) -> T:
    return await Connections(lambda: context, handshake_s=TIMEOUT_S).ask(host, call, timeout_s=TIMEOUT_S)


async def _certificate(host: str) -> bytes:
    try:
        return await server_certificate(host, unverified_context(alpn="h2"), timeout_s=TIMEOUT_S)
    except OSError as err:
        raise from_transport(host, err) from err


async def _facts(channel: Channel) -> Waiting:
    status = await cosi.get(channel, cosi.STATUS) or {}
    system = await cosi.get(channel, cosi.SYSTEM) or {}
    links = (await cosi.listed(channel, cosi.LINKS)).values()
    macs = (
        str(link.get("permanentAddr") or link.get("hardwareAddr") or "") for link in links if not link.get("kind")
    )
    return Waiting(
        str(status.get("stage", "unknown")),
        str(system.get("uuid", "")),
        str(system.get("serialnumber", "")),
        tuple(sorted({mac.lower() for mac in macs if mac})),
    )
