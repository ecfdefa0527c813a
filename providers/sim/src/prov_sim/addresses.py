"""Loopback addresses, leased so that daemons running side by side never share one."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterator

_FIRST, _LAST = 64, 127


class NoAddressLeft(Exception):
    """Every block of 127.64.0.0 to 127.127.255.0 is leased, here or by other daemons."""


class Addresses:
    """Addresses out of blocks 127.A.B.0/24.

    A block is ours while we hold an abstract socket of its name, which the kernel frees when we die. Freed
    addresses go to the back of the queue: a stale client should meet silence, not somebody else's machine.
    """

    def __init__(self) -> None:
        self._leases: list[socket.socket] = []
        self._free: deque[str] = deque()
        self._blocks = _all_blocks()

    def take(self) -> str:
        """An address nobody has; raises NoAddressLeft."""
        if not self._free:
            self._lease()
        return self._free.popleft()

    def give_back(self, address: str) -> None:
        self._free.append(address)

    def close(self) -> None:
        """Ends all leases."""
        for lease in self._leases:
            lease.close()

    def _lease(self) -> None:
        for block in self._blocks:
            lease = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                lease.bind(f"\0prov-sim-block-{block}.0")
            except OSError:
                lease.close()
                continue
            self._leases.append(lease)
            self._free.extend(f"{block}.{host}" for host in range(1, 255))
            return
        raise NoAddressLeft


def _all_blocks() -> Iterator[str]:
    return (f"127.{a}.{b}" for a in range(_FIRST, _LAST + 1) for b in range(256))
