"""What happened during a run: one closed union for progress on the screen and for machines."""

from __future__ import annotations

from typing import TypeAlias

from attrs import frozen


@frozen
class RunStarted:
    """A run begins; `total` counts its steps."""

    doing: str
    total: int


@frozen
class StepStarted:
    """A step's first call is about to be made."""

    step: str
    verb: str
    address: str


@frozen
class StepProgress:
    """A step is still at work."""

    step: str
    address: str
    note: str
    progress: float | None = None


@frozen
class StepDone:
    """A step is finished and on record."""

    step: str
    verb: str
    address: str
    seconds: float


@frozen
class StepFailed:
    """A step failed; what depends on it is skipped, other branches go on."""

    step: str
    verb: str
    address: str
    summary: str
    detail: str
    remedy: str


@frozen
class StepSkipped:
    """A step was not begun because `because` did not finish."""

    step: str
    verb: str
    address: str
    because: str


@frozen
class EndpointHeld:
    """An endpoint has failed several times in a row; nobody calls it for a while."""

    endpoint: str
    reason: str


@frozen
class Stopping:
    """The user asked to stop: calls in flight finish, nothing new begins."""


@frozen
class RunEnded:
    """The run is over."""

    done: int
    failed: int
    skipped: int
    seconds: float


Event: TypeAlias = (
    RunStarted | StepStarted | StepProgress | StepDone | StepFailed | StepSkipped | EndpointHeld | Stopping | RunEnded
)
