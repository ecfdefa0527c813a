"""The world as the kit hands it to verbs: a clock that moves between calls only, and tasks that run when it moves."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from attrs import define, field

from provisioner.model.job import Finished, TaskState, Working

T = TypeVar("T")


@define
class FakeClock:
    """Time that passes when somebody says so."""

    time: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def passes(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@define
class _Task:
    work: Callable[[], Any]
    done: bool = False
    value: Any = None
    error: Exception | None = None


@define
class FakeContext:
    """A process as verbs see it; another one is another process, without the tasks of the first."""

    clock: FakeClock = field(factory=FakeClock)
    said: list[str] = field(factory=list)
    state: str = "a state"
    """What stands for its data key."""
    _tasks: dict[tuple[str, str], _Task] = field(factory=dict)

    def about(self, key: str) -> CallContext:
        """The context of a call about one object."""
        return CallContext(self, key)

    def run_tasks(self) -> None:
        """Lets the tasks that were begun come to their end."""
        for task in self._tasks.values():
            if not task.done:
                try:
                    task.value = task.work()
                except Exception as err:
                    task.error = err
                task.done = True

    def ask(self, key: str, name: str, work: Callable[[], T]) -> TaskState[T]:
        """Begins a task, or tells how it stands; an end is told once."""
        task = self._tasks.setdefault((key, name), _Task(work))
        if not task.done:
            return Working()
        del self._tasks[key, name]
        if task.error is not None:
            raise task.error
        return Finished(task.value)


@define
class CallContext:
    """`Context` for one object."""

    _process: FakeContext
    _key: str

    @property
    def now(self) -> Callable[[], datetime]:
        return self._process.clock.now

    @property
    def say(self) -> Callable[[str], None]:
        return self._process.said.append

    @property
    def cancelled(self) -> Callable[[], bool]:
        return lambda: False

    @property
    def derive(self) -> Callable[[str], str]:
        return lambda purpose: hmac.new(self._process.state.encode(), purpose.encode(), hashlib.sha256).hexdigest()

    def task(self, name: str, work: Callable[[], T]) -> TaskState[T]:
        return self._process.ask(self._key, name, work)
