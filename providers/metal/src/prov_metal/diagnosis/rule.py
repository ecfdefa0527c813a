"""A rule from evidence to a cause."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from prov_metal.diagnosis.evidence import Evidence


@frozen
class Rule:
    """`holds` gives the sentence that tells the cause, empty where the evidence does not lead there."""

    cause: str
    holds: Callable[[Evidence], str]
    remedy: Callable[[Evidence], str]
