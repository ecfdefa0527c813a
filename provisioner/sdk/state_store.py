"""The protocol of state stores."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from provisioner.model.state import Change, Fence, LockInfo, State


class StateStore(Protocol):
    """Keeps one state. A commit costs what it changes, never the size of the state."""

    def load(self) -> State:
        """The newest snapshot; raises StateError when what is there is not a state of ours."""
        ...

    def commit(self, changes: Sequence[Change], fence: Fence) -> int:
        """Writes all changes or none, durably, and returns the new serial.

        Raises StateMoved when `fence` is not the newest grant.
        """
        ...

    def lock(self, info: LockInfo) -> AbstractContextManager[Fence]:
        """The exclusive right to write; raises StateLocked, naming the holder."""
        ...
