"""What this process saw of hosts before, so that what is new since is told from what was there."""

from __future__ import annotations

import threading

from attrs import define, field, frozen


@frozen
class Marks:
    """How far console and requests had come.

    spoken   bytes that the console has written
    request  number of the host's last request that was granted, and the bytes that it was sent
    """

    spoken: int = 0
    request: tuple[int, int] = (0, 0)


@define
class Looks:
    """What this process saw of hosts before. For several threads at once."""

    _marks: dict[str, Marks] = field(init=False, factory=dict)
    _follow: set[tuple[str, str]] = field(init=False, factory=set)
    _lock: threading.Lock = field(init=False, factory=threading.Lock)

    def moved(self, host: str, now: Marks, *, anew: bool) -> tuple[bool, bool]:
        """Whether console and requests have gone on since the last look; not where it is the first or begins anew."""
        with self._lock:
            before = now if anew else self._marks.get(host, now)
            self._marks[host] = now
        return now.spoken > before.spoken, now.request > before.request

    def contradicts(self, host: str, witness: str, *, on: bool) -> bool:
        """Whether a witness that is known to follow the power says "on" of a machine that is said to be off."""
        with self._lock:
            if not on:
                self._follow.add((host, witness))
            return on and (host, witness) in self._follow
