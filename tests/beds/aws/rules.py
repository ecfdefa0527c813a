"""What is added to moto, by action: a refusal before a call, an answer of our own, a consequence after it.

@before("ec2:DeleteSubnet")
def ...(bed, call): raise Refusal("DependencyViolation", "...")

@instead("ec2:ImportSnapshot")
def ...(bed, call) -> result

@after("ec2:RunInstances")
def ...(bed, call, result): ...
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from beds.aws.bed import Bed
    from beds.aws.calls import Call

Check: TypeAlias = "Callable[[Bed, Call], None]"
Answering: TypeAlias = "Callable[[Bed, Call], Mapping[str, Any] | None]"
Consequence: TypeAlias = "Callable[[Bed, Call, dict[str, Any]], Mapping[str, Any] | None]"

BEFORE: dict[str, list[Check]] = defaultdict(list)
INSTEAD: dict[str, Answering] = {}
AFTER: dict[str, list[Consequence]] = defaultdict(list)


class Refusal(Exception):
    """The call is refused, as the service would."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


def before(*names: str) -> Callable[[Check], Check]:
    """Called before moto; may raise Refusal."""

    def mark(rule: Check) -> Check:
        for name in names:
            BEFORE[name].append(rule)
        return rule

    return mark


def instead(*names: str) -> Callable[[Answering], Answering]:
    """Called in the place of moto, unless it gives None."""

    def mark(rule: Answering) -> Answering:
        INSTEAD.update(dict.fromkeys(names, rule))
        return rule

    return mark


def after(*names: str) -> Callable[[Consequence], Consequence]:
    """Called with what moto answered; what it gives, unless None, is the answer."""

    def mark(rule: Consequence) -> Consequence:
        for name in names:
            AFTER[name].append(rule)
        return rule

    return mark
