"""Attached tasks: single requests that take long, beside the calls and on no thread of theirs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from attrs import define, field

from provisioner.model.job import Finished, TaskState, Working


@define
class _Task:
    done: bool = False
    value: Any = None
    error: Exception | None = None


@define
class Tasks:
    """The tasks of one run, by the key of their job and a name; `start` runs one somewhere.

    A run that ends does not wait for them, and the next one looks at the remote first.
    """

    start: Callable[[Callable[[], None]], None]
    _tasks: dict[tuple[str, str], _Task] = field(factory=dict)
    _guard: threading.Lock = field(factory=threading.Lock)

    def ask(self, key: str, name: str, work: Callable[[], Any]) -> TaskState[Any]:
        """Begins a task, or tells how it stands; see `Context.task`."""
        with self._guard:
            task = self._tasks.get((key, name))
            if task is not None and task.done:
                del self._tasks[key, name]
        if task is None:
            task = self._tasks[key, name] = _Task()
            self.start(lambda: _do(task, work))
            return Working()
        if not task.done:
            return Working()
        if task.error is not None:
            raise task.error
        return Finished(task.value)


def _do(task: _Task, work: Callable[[], Any]) -> None:
    try:
        task.value = work()
    except Exception as err:
        task.error = err
    task.done = True
