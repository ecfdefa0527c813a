"""What the world looks like to one call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from attrs import frozen

from provisioner.engine.tasks import Tasks
from provisioner.model.job import TaskState

T = TypeVar("T")


@frozen
class CallContext:
    """The clock, a way to tell the person watching, whether the run is being stopped, and its tasks."""

    now: Callable[[], datetime]
    say: Callable[[str], None]
    cancelled: Callable[[], bool]
    tasks: Tasks
    key: str = ""
    """Of the job that is called for; its tasks go by it."""

    def task(self, name: str, work: Callable[[], T]) -> TaskState[T]:
        return self.tasks.ask(self.key, name, work)
