"""Which addresses a network has. Pure.

A machine's number is the last part of its address, inside and here: number 11 is 10.5.0.11 for the other machines and
127.90.3.11 for this computer.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Collection
from typing import Final

GATEWAY: Final = 1
RESOLVER: Final = 3
DELIVERY: Final = 4
FIRST: Final = 10
LAST: Final = 250
"""Numbers: of the way out, of its name server, of what hands out configurations, and of machines."""
LOOPBACK: Final = ipaddress.IPv4Network("127.128.0.0/10")
"""Where networks have their addresses on this computer; any user may listen there, without asking anybody."""


def inside(subnet: str, number: int) -> str:
    """The address of that number for the machines; `subnet` is such as `10.5.0.0/24`."""
    return str(ipaddress.IPv4Network(subnet)[number])


def number_of(address: str) -> int:
    """The number in an address."""
    return int(address.rpartition(".")[2])


def free_number(taken: Collection[int]) -> int | None:
    """The smallest number that no machine has; None when there are no more."""
    return next((number for number in range(FIRST, LAST + 1) if number not in taken), None)


def free_loopback(wish: str, taken: Collection[str]) -> str | None:
    """A network of this computer's loopback that nobody has, such as `127.90.3.0/24`; the same for the same wish."""
    begin = int.from_bytes(hashlib.sha256(wish.encode()).digest()[:8], "big")
    found = list(LOOPBACK.subnets(new_prefix=24))
    for step in range(len(found)):
        candidate = str(found[(begin + step) % len(found)])
        if candidate not in taken:
            return candidate
    return None


def mac_of(key: str) -> str:
    """The hardware address that belongs to a key, one of qemu's own range."""
    digest = hashlib.sha256(key.encode()).digest()
    return "52:54:00:" + ":".join(f"{byte:02x}" for byte in digest[:3])
