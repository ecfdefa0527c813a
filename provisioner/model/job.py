"""What a verb is given, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from attrs import field, frozen

from provisioner.model.address import Address
from provisioner.model.resource import Reading

P = TypeVar("P")
T = TypeVar("T")
O = TypeVar("O")  # noqa: E741  (the house's name for outputs)


@frozen
class Job(Generic[P, O]):
    """One object and how far the work on it got.

    key      the ownership key: fresh per object, stable through every repetition of a call
    id       the remote's name for it, once known
    phase    the kind's checkpoint; a finished phase is never repeated
    memo     what the checkpoint needs to go on; never a secret
    wanted   the props to reach; None when deleting, or when they are not all known yet
    applied  the props last reached, from the state
    outputs  the outputs last recorded
    seen     what reading found just before this call, if the kind was read
    how      the planned manner of a deletion, such as "leave" or "teardown"; for `run`, the action
    """

    key: str
    generation: int
    address: Address
    id: str | None = None
    phase: str = ""
    memo: Mapping[str, str] = field(factory=dict)
    wanted: P | None = None
    applied: P | None = None
    outputs: O | None = None
    seen: Reading | None = None
    how: str = ""
    lineage: str = ""


@frozen
class Done(Generic[O]):
    """Finished; a deletion's outputs are None."""

    outputs: O


@frozen
class Pending:
    """Not finished: store this, and call again after at most `after_s` seconds.

    With 0 the call comes as soon as this is stored, and nothing is read before it: `job.seen` is None.
    Polling starts faster than `after_s` and slows down to it, so quick remotes are quick.
    """

    id: str | None = None
    phase: str = ""
    memo: Mapping[str, str] = field(factory=dict)
    after_s: float = 2.0
    note: str = ""
    progress: float | None = None


Answer: TypeAlias = Done[Any] | Pending


@frozen
class Working:
    """An attached task is at work."""


@frozen
class Finished(Generic[T]):
    """An attached task is over, with what it gave."""

    value: T


TaskState: TypeAlias = Working | Finished[T]


class Context(Protocol):
    """What the world looks like to a verb."""

    @property
    def now(self) -> Callable[[], datetime]:
        """The clock."""
        ...

    @property
    def say(self) -> Callable[[str], None]:
        """A sentence for the person watching."""
        ...

    @property
    def cancelled(self) -> Callable[[], bool]:
        """Whether the run is being stopped."""
        ...

    @property
    def derive(self) -> Callable[[str], str]:
        """A secret of the state's for a purpose, such as a token: 64 hexadecimal digits, the same in every call.

        It is told by nobody who cannot open the state, needs no place on record, and is not to be printed. Only for
        verbs that make or change something; a new data key of the state changes it.
        """
        ...

    def task(self, name: str, work: Callable[[], T]) -> TaskState[T]:
        """A single long request, such as an upload, on a thread of its own.

        The first call of a job with this name begins it; later ones tell how it stands, and raise what it raised.
        An end is told once: the next call with the name begins anew. The process takes its tasks with it, so after a
        crash a verb looks at the remote first.
        """
        ...
