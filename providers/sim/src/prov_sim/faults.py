"""Faults on demand: which calls are going to fail, in which way, how many times."""

from __future__ import annotations

from typing import Final

from attrs import define

KINDS: Final = ("throttled", "denied", "error", "lost")
"""`lost` lets the effect happen and loses the answer; the others fail without effect."""


@define
class Fault:
    """The next `left` calls of `verb` fail as `kind`; with a `machine` (its id) only those that concern it."""

    verb: str
    kind: str
    left: int
    machine: str = ""


class FaultBook:
    """The faults that are still to come."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def next(self, verb: str, machine: str = "") -> str:
        """The kind of fault this call meets, which is thereby used up; empty for none."""
        for fault in self._faults:
            if fault.verb == verb and fault.machine in ("", machine):
                fault.left -= 1
                if fault.left <= 0:
                    self._faults.remove(fault)
                return fault.kind
        return ""

    def forget(self, machine: str) -> None:
        """Drops what was meant for a machine that is gone."""
        self._faults = [fault for fault in self._faults if fault.machine != machine]

    def pending(self) -> list[Fault]:
        return list(self._faults)
