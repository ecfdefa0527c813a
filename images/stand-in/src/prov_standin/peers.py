"""The wire between the machines of a cluster: datagrams on UDP 50001, to the segment and to whom we know.

A datagram is an HMAC-SHA256 followed by compressed JSON. Its key is made of the cluster's discovery secret and
the token of its machines, so that only who has the cluster's configuration is listened to, as with trustd.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import json
import socket
import zlib
from collections.abc import Callable, Iterable
from typing import Any, Final

from prov_sim.machine.documents import MachineConfig

from prov_standin.network import USER_NETWORK

PORT: Final = 50001

_DIGEST: Final = hashlib.sha256().digest_size


def key_of(config: MachineConfig) -> bytes:
    """What the datagrams of a cluster are sealed with."""
    parts = (config.domain_name, *config.identity, config.machine.get("token"))
    return hashlib.sha256("\n".join(str(part) for part in parts).encode()).digest()


def pack(key: bytes, message: dict[str, Any]) -> bytes:
    """A message as a datagram."""
    body = zlib.compress(json.dumps(message, separators=(",", ":")).encode())
    return hmac.digest(key, body, "sha256") + body


def unpack(key: bytes, datagram: bytes) -> dict[str, Any] | None:
    """The message in a datagram; None where it was not made with this key."""
    seal, body = datagram[:_DIGEST], datagram[_DIGEST:]
    if not hmac.compare_digest(seal, hmac.digest(key, body, "sha256")):
        return None
    message: dict[str, Any] = json.loads(zlib.decompress(body))
    return message


def broadcasts(addresses: Iterable[tuple[str, str]]) -> list[str]:
    """Where everybody on our segments listens; QEMU's user network has nobody else on it."""
    networks = [ipaddress.ip_interface(text).network for _, text in addresses]
    return [str(item.broadcast_address) for item in networks if item != USER_NETWORK]


class Wire(asyncio.DatagramProtocol):
    """One machine's end. `receive` gets each message with the address it came from."""

    def __init__(self, key: bytes, receive: Callable[[dict[str, Any], str], None]) -> None:
        self._key = key
        self._receive = receive
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self) -> None:
        """Begins to listen; raises OSError."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind(("", PORT))
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, sock=listener)
        self._transport = transport

    def send(self, message: dict[str, Any], addresses: Iterable[str]) -> None:
        """Sends to each address; what does not get there is said again later anyway."""
        if self._transport is not None:
            datagram = pack(self._key, message)
            for address in addresses:
                self._transport.sendto(datagram, (address, PORT))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        pass

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        message = unpack(self._key, data)
        if message is not None:
            self._receive(message, str(addr[0]))

    def error_received(self, exc: Exception) -> None:
        """An address cannot be reached now."""
