"""A named condition of a cluster, with its state and a sentence for people."""

from __future__ import annotations

from attrs import frozen


@frozen
class Condition:
    """`name` says what shall hold; `sentence` what is missing, and is empty where it holds."""

    name: str
    holds: bool
    sentence: str = ""

    @classmethod
    def unless(cls, name: str, *missing: str) -> Condition:
        """The condition `name`, which holds unless something is missing."""
        found = [item for item in missing if item]
        return cls(name, not found, "; ".join(found))
