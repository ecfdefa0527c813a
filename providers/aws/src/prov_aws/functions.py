"""Pure functions that values may call."""

from __future__ import annotations

import ipaddress
from typing import Any


def subnet6(block: Any, number: Any) -> str:
    """The `number`th /64 of an IPv6 block, counted from 0."""
    net = ipaddress.IPv6Network(str(block))
    if not 0 <= int(number) < 2 ** (64 - net.prefixlen):
        raise ValueError(f"{net} has no subnet {number}")
    first = int(net.network_address) + (int(number) << 64)
    return f"{ipaddress.IPv6Address(first)}/64"


def subnet4(block: str, bits: int, number: int) -> str:
    """The `number`th subnet of an IPv4 block whose prefix is longer by `bits`, counted from 0."""
    net = ipaddress.IPv4Network(block)
    size = 2 ** (32 - net.prefixlen - bits)
    return f"{ipaddress.IPv4Address(int(net.network_address) + number * size)}/{net.prefixlen + bits}"
