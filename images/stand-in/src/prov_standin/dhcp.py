"""A DHCP client that asks once: discover, request, done."""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
import time
from dataclasses import dataclass
from typing import Final

_TRIES: Final = 6
_WAIT_S: Final = 2.0
_COOKIE: Final = b"\x63\x82\x53\x63"
_DISCOVER, _OFFER, _REQUEST, _ACK = 1, 2, 3, 5


@dataclass(frozen=True)
class Lease:
    """What a server gave: an address with its prefix, perhaps a router, name servers and a host name."""

    address: str
    prefix: int
    router: str = ""
    servers: tuple[str, ...] = ()
    hostname: str = ""


def ask(name: str, mac: bytes) -> Lease | None:
    """The lease of an interface, or None where nobody answers in about ten seconds; raises OSError."""
    number = os.urandom(4)
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)) as link:
        link.bind((name, 0x0800))
        for attempt in range(_TRIES):
            wait = _WAIT_S * (0.5 if attempt == 0 else 1)
            offer = _exchange(
                link, name, mac, number, _OFFER, {53: bytes([_DISCOVER]), 55: b"\x01\x03\x06\x0c"}, wait
            )
            if offer is None:
                continue
            wanted = {53: bytes([_REQUEST]), 50: offer[0], 54: offer[1].get(54, bytes(4)), 55: b"\x01\x03\x06\x0c"}
            given = _exchange(link, name, mac, number, _ACK, wanted, wait)
            if given is not None:
                return _lease(*given)
    return None


def _exchange(
    link: socket.socket, name: str, mac: bytes, number: bytes, kind: int, options: dict[int, bytes], wait: float
) -> tuple[bytes, dict[int, bytes]] | None:
    link.sendto(_packet(mac, number, options), (name, 0x0800, 0, 0, b"\xff" * 6))
    deadline = time.monotonic() + wait
    while (left := deadline - time.monotonic()) > 0:
        link.settimeout(left)
        try:
            found = _answer(link.recv(2048), number, mac)
        except TimeoutError:
            return None
        if found is not None and found[1].get(53) == bytes([kind]):
            return found
    return None


def _packet(mac: bytes, number: bytes, options: dict[int, bytes]) -> bytes:
    body = struct.pack("!BBBB4sHH16x16s", 1, 1, 6, 0, number, 0, 0x8000, mac) + bytes(192) + _COOKIE
    for code, value in options.items():
        body += bytes([code, len(value)]) + value
    body += b"\xff"
    udp = struct.pack("!HHHH", 68, 67, 8 + len(body), 0) + body
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    return head[:10] + struct.pack("!H", _checksum(head)) + head[12:] + udp


def _answer(packet: bytes, number: bytes, mac: bytes) -> tuple[bytes, dict[int, bytes]] | None:
    start = (packet[0] & 15) * 4 if packet else 0
    if len(packet) < start + 248 or packet[9] != 17 or packet[start + 2 : start + 4] != b"\0\x44":
        return None
    body = packet[start + 8 :]
    if body[0] != 2 or body[4:8] != number or body[28:34] != mac or body[236:240] != _COOKIE:
        return None
    return body[16:20], _options(body[240:])


def _options(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    place = 0
    while place + 1 < len(data) and data[place] != 255:
        if data[place] == 0:
            place += 1
            continue
        length = data[place + 1]
        found[data[place]] = data[place + 2 : place + 2 + length]
        place += 2 + length
    return found


def _lease(address: bytes, options: dict[int, bytes]) -> Lease:
    mask = int.from_bytes(options.get(1, b"\xff\xff\xff\0"))
    return Lease(
        address=str(ipaddress.IPv4Address(address)),
        prefix=mask.bit_count(),
        router=str(ipaddress.IPv4Address(options[3][:4])) if len(options.get(3, b"")) >= 4 else "",
        servers=tuple(
            str(ipaddress.IPv4Address(options[6][at : at + 4])) for at in range(0, len(options.get(6, b"")), 4)
        ),
        hostname=options.get(12, b"").decode("ascii", "ignore"),
    )


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF
