"""The protocol of state stores."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from provisioner.model.state import Change, Fence, LockInfo, RunRecord, State


class StateStore(Protocol):
    """Keeps one state. A commit costs what it changes, never the size of the state."""

    def load(self, *, shut: bool = False) -> State:
        """The newest snapshot; raises StateError when what is there is not a state of ours.

        With `shut` nothing is opened that is sealed: such leaves are `Sealed`, and no identity is needed.
        """
        ...

    def derive(self, purpose: str) -> str:
        """64 hexadecimal digits that only who opens this state can know, the same for a purpose as long as it lives.

        Needs an identity. A new data key gives others.
        """
        ...

    def commit(self, changes: Sequence[Change], fence: Fence) -> int:
        """Writes all changes or none, durably, and returns the new serial.

        Raises StateMoved when `fence` is not the newest grant.
        """
        ...

    def lock(self, info: LockInfo) -> AbstractContextManager[Fence]:
        """The exclusive right to write; raises StateLocked, naming the holder."""
        ...

    def holder(self) -> LockInfo | None:
        """Who holds the lock, or held it when it was cut off; None after every orderly end."""
        ...

    def runs(self) -> Sequence[RunRecord]:
        """The history, newest first; a store may forget the oldest of a thousand runs."""
        ...
