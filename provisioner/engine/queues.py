"""What wants to be called, and what may be: timers, and a queue for each endpoint behind its governor."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from math import inf

from attrs import define, field, frozen

from provisioner.engine.governor import Governor
from provisioner.engine.work import Work
from provisioner.model.resource import Reading
from provisioner.model.state import Change
from provisioner.sdk.provider import Limits


@frozen
class First:
    """The first call of a step; `intent` goes on record before it."""

    work: Work
    intent: Sequence[Change]

    @property
    def endpoint(self) -> str:
        return self.work.endpoint


@frozen
class Next:
    """A further call, with what was just read."""

    work: Work
    seen: Reading | None

    @property
    def endpoint(self) -> str:
        return self.work.endpoint


@frozen
class Look:
    """One reading of several objects of one kind and instance, before their next calls."""

    works: Sequence[Work]
    endpoint: str


Wish = First | Next | Look


@define
class Queues:
    """Wishes wait here, first come first served at each endpoint; works wait for their next poll on a heap."""

    limits_of: Callable[[str], Limits]
    """By the name of an endpoint."""
    _governors: dict[str, Governor] = field(factory=dict)
    _waiting: dict[str, deque[Wish]] = field(factory=dict)
    _timers: list[tuple[float, int, Work]] = field(factory=list)
    _ticket: int = 0

    def want(self, wish: Wish) -> None:
        """Queues a call."""
        self._waiting.setdefault(wish.endpoint, deque()).append(wish)

    def admitted(self, now: float) -> tuple[list[Wish], float]:
        """The wishes that may be called now, and the seconds until another one may be, without any call ending."""
        found: list[Wish] = []
        wait = inf
        for endpoint, wishes in list(self._waiting.items()):
            governor = self.governor(endpoint)
            while wishes and (held := governor.admit(now)) == 0:
                found.append(wishes.popleft())
            if wishes:
                wait = min(wait, held)
            else:
                del self._waiting[endpoint]
        return found, wait

    def governor(self, endpoint: str) -> Governor:
        known = self._governors.get(endpoint)
        if known is None:
            known = self._governors[endpoint] = Governor(self.limits_of(endpoint))
        return known

    def given_up(self, now: float, after_s: float) -> list[Work]:
        """Takes out what waits at endpoints that have been down for so long."""
        works: list[Work] = []
        for endpoint in [name for name in self._waiting if self.governor(name).down_for(now) > after_s]:
            for wish in self._waiting.pop(endpoint):
                works += wish.works if isinstance(wish, Look) else (wish.work,)
        return works

    def later(self, work: Work, moment: float) -> None:
        """Puts a work on the heap."""
        self._ticket += 1
        heapq.heappush(self._timers, (moment, self._ticket, work))

    def due(self, now: float) -> list[Work]:
        """The works whose next poll is due."""
        found: list[Work] = []
        while self._timers and self._timers[0][0] <= now:
            found.append(heapq.heappop(self._timers)[2])
        return found

    def next_timer(self) -> float | None:
        """When the next poll is due."""
        return self._timers[0][0] if self._timers else None

    @property
    def idle(self) -> bool:
        """Whether nothing waits for anything."""
        return not (self._timers or self._waiting)

    def clear(self) -> None:
        """Forgets everything that waits."""
        self._timers.clear()
        self._waiting.clear()
