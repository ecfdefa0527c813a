"""What the world looks like to one call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from attrs import frozen

from provisioner.engine.tasks import Tasks
from provisioner.model.job import TaskState

T = TypeVar("T")


def nothing_derived(purpose: str) -> str:
    """For calls that only look: what is derived from the state belongs into what a call makes."""
    raise AssertionError(f"only calls that make something derive secrets, and this one asks for {purpose!r}")


@frozen
class CallContext:
    """The clock, a way to tell the person watching, whether the run is being stopped, and its tasks."""

    now: Callable[[], datetime]
    say: Callable[[str], None]
    cancelled: Callable[[], bool]
    tasks: Tasks
    key: str = ""
    """Of the job that is called for; its tasks go by it."""
    derive: Callable[[str], str] = nothing_derived

    def task(self, name: str, work: Callable[[], T]) -> TaskState[T]:
        return self.tasks.ask(self.key, name, work)
