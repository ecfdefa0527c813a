"""Where calls run, and where their answers arrive: the seam for workers at other sites."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from attrs import define, field

WORKERS = 32


class Executor(Protocol):
    """Runs calls somewhere, and hands what they give to the one thread that owns the run."""

    def now(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    def submit(self, call: Callable[[], Any]) -> None:
        """Runs a call; what it returns arrives."""
        ...

    def start(self, work: Callable[[], None]) -> None:
        """Runs something long beside the calls; nothing arrives, and nobody waits for it."""
        ...

    def post(self, message: Any) -> None:
        """Lets a message arrive; from any thread, and from a signal handler."""
        ...

    def arrived(self, timeout_s: float | None) -> list[Any]:
        """Everything that has arrived; waits for the first, or until the time is over."""
        ...

    def close(self) -> None:
        """Waits for the calls that are still running."""
        ...


@define
class Threads:
    """Calls on a pool of threads in this process."""

    _inbox: queue.SimpleQueue[Any] = field(factory=queue.SimpleQueue)
    _pool: ThreadPoolExecutor = field(factory=lambda: ThreadPoolExecutor(WORKERS, "call"))

    def now(self) -> float:
        return time.monotonic()

    def submit(self, call: Callable[[], Any]) -> None:
        self._pool.submit(lambda: self._inbox.put(call()))

    def start(self, work: Callable[[], None]) -> None:
        threading.Thread(target=work, name="task", daemon=True).start()

    def post(self, message: Any) -> None:
        self._inbox.put(message)

    def arrived(self, timeout_s: float | None) -> list[Any]:
        try:
            messages = [self._inbox.get(timeout=timeout_s)]
        except queue.Empty:
            return []
        while not self._inbox.empty():
            messages.append(self._inbox.get())
        return messages

    def close(self) -> None:
        self._pool.shutdown()
