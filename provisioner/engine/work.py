"""A step at work, and what arrives about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, frozen

from provisioner.model.job import Answer
from provisioner.model.resource import Reading
from provisioner.model.state import Entry
from provisioner.sdk.provider import AnyKind


@define
class Work:
    """A step at work.

    verb      what of the kind is called
    entry     what is on record about it, or will be with the first call
    previous  what was on record before, of the same object
    endpoint  whose governor admits its calls
    began     when it was taken up, on the run's clock
    limit_s   how long it may take from its first call
    recorded  whether its end is put on record; a gate between the turns of a rollout, or a look-up, is not
    """

    id: str
    verb: str
    kind: AnyKind
    entry: Entry
    previous: Entry | None
    endpoint: str
    began: float
    limit_s: float
    recorded: bool = True
    polls: int = 0
    note: str = ""
    told: float = 0.0


@frozen
class Answered:
    """A call came back."""

    work: Work
    answer: Answer | Exception


@frozen
class FoundOut:
    """A reading of several came back, or what kept it from being made."""

    works: Sequence[Work]
    readings: Mapping[str, Reading]
    outcome: object


@frozen
class Said:
    """A verb has something to tell while it is at work."""

    work: Work
    note: str


@frozen
class Wake:
    """Something outside happened: look again."""
