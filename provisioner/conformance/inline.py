"""An executor on this very thread, with a clock that moves only when there is nothing else to do."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from attrs import define, field


class Deadlock(AssertionError):
    """A run waits, and nothing is left that could end the waiting."""


@define
class Inline:
    """Calls run when the run asks for what has arrived, one at a time, in an order that `chance` draws.

    Whatever a call raises goes through the run: so a test can end it at any point, as SIGKILL would.
    """

    chance: Random = field(factory=lambda: Random(0))  # noqa: S311  (for tests, and repeatable)
    seconds: float = 0.0
    _calls: list[Callable[[], Any]] = field(factory=list)
    _tasks: list[Callable[[], None]] = field(factory=list)
    _messages: list[Any] = field(factory=list)

    def now(self) -> float:
        return self.seconds

    def submit(self, call: Callable[[], Any]) -> None:
        self._calls.append(call)

    def start(self, work: Callable[[], None]) -> None:
        self._tasks.append(work)

    def post(self, message: Any) -> None:
        self._messages.append(message)

    def arrived(self, timeout_s: float | None) -> list[Any]:
        if self._calls:
            call = self._calls.pop(self.chance.randrange(len(self._calls)))
            self._messages.append(call())
        elif self._tasks and not self._messages:
            self._tasks.pop(self.chance.randrange(len(self._tasks)))()
        elif not self._messages:
            if timeout_s is None:
                raise Deadlock
            self.seconds += timeout_s
        messages, self._messages = self._messages, []
        return messages

    def close(self) -> None:
        pass
