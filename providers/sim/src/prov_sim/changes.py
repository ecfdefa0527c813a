"""Waiting until something holds in a world where everything runs on one event loop.

Who waits names the topics on which the answer may turn, and only those who wait for a topic look again when it
is announced: with hundreds of machines, waking everybody at every step of each would take most of the time.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Final

CONTROL_PLANES: Final = "control planes"
"""What any machine that has ever run as a control plane is at: its API, its etcd. A machine's own topic is its id."""


class Changes:
    """Wakes those who wait for a topic when somebody announces a change of it."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)

    @property
    def topics(self) -> set[str]:
        """What anybody waits for."""
        return set(self._waiting)

    def announce(self, *topics: str) -> None:
        """Something of these topics changed; whoever waits for one of them looks again."""
        for topic in topics:
            for future in self._waiting.pop(topic, ()):
                if not future.done():
                    future.set_result(None)

    async def until(self, holds: Callable[[], bool], *topics: str) -> None:
        """Returns once `holds()`, with nothing else having run between the look and the return."""
        while not holds():
            future = asyncio.get_running_loop().create_future()
            for topic in topics:
                self._waiting[topic].add(future)
            try:
                await future
            finally:
                self._forget(future, topics)

    def _forget(self, future: asyncio.Future[None], topics: tuple[str, ...]) -> None:
        for topic in topics:
            waiting = self._waiting.get(topic)
            if waiting is not None:
                waiting.discard(future)
                if not waiting:
                    del self._waiting[topic]
