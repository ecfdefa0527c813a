"""How long things take on a simulated machine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from random import Random
from typing import Final

SECONDS: Final[Mapping[str, float]] = {
    "provision": 4.0,
    "boot": 20.0,
    "certificate": 1.0,
    "services": 3.0,
    "install": 15.0,
    "reboot": 15.0,
    "reset": 5.0,
    "shutdown": 3.0,
    "etcd start": 3.0,
    "etcd join": 5.0,
    "kube-apiserver": 8.0,
    "kubelet": 3.0,
    "node registration": 4.0,
}
"""Seconds at a time scale of 1, about what a small virtual machine needs."""

_JITTER = 0.2


class Pace:
    """Waits for one machine: scaled, jittered by a fifth either way, the same for the same seed."""

    def __init__(self, scale: float, seed: str) -> None:
        self._scale = scale
        self._random = Random(seed)  # noqa: S311  (delays, not secrets)
        self.slowness = 1.0

    async def wait(self, what: str) -> None:
        """Lets the time of one thing in `SECONDS` pass."""
        jitter = 1 + _JITTER * (2 * self._random.random() - 1)
        await asyncio.sleep(SECONDS[what] * self._scale * self.slowness * jitter)
