"""The chassis that this process has met behind the BMCs of a rack, to tell when two rows lead to the same one."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from attrs import define, field

from prov_metal.bmc.driver import Facts

_EMPTY = frozenset("0f-")
"""Boards without a UUID of their own show zeros, or ones all through."""


@define
class Met:
    """What each host's BMC said last of its chassis; hosts that stand already are among them."""

    _facts: dict[str, Facts] = field(init=False, factory=dict)
    _macs: set[str] = field(init=False, factory=set)
    _lock: threading.Lock = field(init=False, factory=threading.Lock)

    def note(self, host: str, facts: Facts, macs: Sequence[str] = ()) -> None:
        """Remembers what a host's BMC says, and which network cards its row names."""
        with self._lock:
            self._facts[host] = facts
            self._macs.update(mac.lower() for mac in macs)

    def forget(self, host: str) -> None:
        """A host that was given back may be there under another name."""
        with self._lock:
            self._facts.pop(host, None)

    def macs(self) -> frozenset[str]:
        """The network cards of all hosts of this run, in lower case."""
        with self._lock:
            return frozenset(self._macs)

    def doubles(self, host: str) -> tuple[str, ...]:
        """The other hosts whose BMCs tell the same UUID, by name."""
        with self._lock:
            known = dict(self._facts)
        mine = known[host].uuid if host in known else ""
        if not set(mine.lower()) - _EMPTY:
            return ()
        return tuple(sorted(name for name, facts in known.items() if name != host and facts.uuid == mine))


_MET: dict[str, Met] = {}
_GUARD = threading.Lock()


def met_of(lineage: str) -> Met:
    """What this process has met for one state, in any of its provider blocks, for a plan or while it is applied."""
    with _GUARD:
        return _MET.setdefault(lineage, Met())
