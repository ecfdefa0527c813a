"""What the kit has to see and do on the other side of a provider.

Write one for the emulator, the recorded replies or the fake that your tests run against. Each test gets a fresh one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Final, Literal, TypeAlias

from provisioner.model.value import Value

Fault: TypeAlias = Literal["throttled", "denied", "quota", "conflict", "timeout", "lost"]
FAULTS: Final[tuple[Fault, ...]] = ("throttled", "denied", "quota", "conflict", "timeout", "lost")
"""What goes wrong with a request. All fail without an effect but `lost`, which has it and whose answer never arrives.

throttled  too many calls
denied     the credentials do not allow it
quota      there is no more room for this account
conflict   the object is busy with something else
timeout    no answer in time
"""


class BackEnd(ABC):
    """The remote of a provider under test."""

    @abstractmethod
    def existing(self) -> frozenset[str]:
        """The ids of all objects that exist, whoever made them."""

    @abstractmethod
    def requests(self) -> int:
        """How many requests have arrived, of any sort, failed ones included."""

    @abstractmethod
    def writes(self) -> int:
        """How many requests have changed something."""

    @abstractmethod
    def lose(self, id_: str) -> None:
        """Lets an object be gone, as if somebody else had deleted it."""

    @abstractmethod
    def fail(self, fault: Fault, kind: str, verb: str) -> bool:
        """Lets the next request that a verb of a kind makes meet a fault; false where it makes none that could."""

    @abstractmethod
    def silence(self) -> AbstractContextManager[None]:
        """The time in which nothing at the remote answers."""

    def pass_time(self, seconds: float) -> None:  # noqa: B027  (many remotes need none)
        """Lets the remote get on with what takes it time; called between calls, never during one."""

    def by_hand(self, kind: str, props: Mapping[str, Value]) -> str:
        """Makes an object without any mark of ours and gives its id; needed for kinds that can take objects over."""
        raise NotImplementedError(f"the back end cannot make a {kind} by hand")

    def shown(self) -> str:
        """All that the remote shows to whoever may list things: names, labels, tags."""
        return ""
