"""Faults of an API on demand: scripted one by one, or at random at given rates from a seed.

throttled  too many calls
server     the service itself is at fault
denied     the credentials do not allow it
capacity   there is no room for such an instance
quota      there is no more room for this account
conflict   the object is busy with something else
refused    this cannot be asked for, now or later
reset      the connection breaks before the call arrives
timeout    no answer comes
lost       the call has its effect, and its answer never arrives
stale      a read tells how it was a moment ago

All but the last two happen without an effect.
"""

from __future__ import annotations

import random
from collections import Counter
from fnmatch import fnmatchcase
from typing import Final, Literal, TypeAlias

from attrs import define, field, frozen
from beds.aws.calls import Answer, Call

Fault: TypeAlias = Literal[
    "throttled", "server", "denied", "capacity", "quota", "conflict", "refused", "reset", "timeout", "lost", "stale"
]
BROKEN: Final = ("reset", "timeout")
"""Faults in which nothing is answered and nothing is done."""


@frozen
class Rates:
    """How often a call meets a fault of each sort, from 0 to 1. Answers are lost of calls that change something."""

    throttled: float = 0.0
    server: float = 0.0
    lost: float = 0.0
    stale: float = 0.0
    reset: float = 0.0


@define
class _Scripted:
    fault: Fault
    action: str
    times: int


@define
class Faults:
    """The faults still to come, and a count of those that came."""

    rates: Rates = field(factory=Rates)
    met: Counter[str] = field(factory=Counter)
    _scripted: list[_Scripted] = field(factory=list)
    _random: random.Random = field(factory=lambda: random.Random(0))

    def script(self, fault: Fault, action: str = "*", times: int = 1) -> None:
        """The next `times` calls of an action, such as `ec2:RunInstances` or `ec2:Describe*`, meet a fault."""
        self._scripted.append(_Scripted(fault, action, times))

    def at_random(self, rates: Rates, seed: int = 0) -> None:
        """From now on calls meet faults at these rates."""
        self.rates, self._random = rates, random.Random(seed)

    def clear(self) -> None:
        """No more faults."""
        self.rates = Rates()
        self._scripted.clear()

    def next(self, call: Call) -> Fault | None:
        """The fault of this call."""
        fault = self._from_script(call) or self._from_rates(call)
        if fault is not None:
            self.met[fault] += 1
        return fault

    def _from_script(self, call: Call) -> Fault | None:
        for item in self._scripted:
            if item.times > 0 and fnmatchcase(call.name, item.action):
                item.times -= 1
                return item.fault
        return None

    def _from_rates(self, call: Call) -> Fault | None:
        drawn, rates = self._random.random(), self.rates
        table: list[tuple[Fault, float]] = [
            ("throttled", rates.throttled),
            ("server", rates.server),
            ("reset", rates.reset),
            ("stale", rates.stale) if call.reads else ("lost", rates.lost),
        ]
        for fault, rate in table:
            if drawn < rate:
                return fault
            drawn -= rate
        return None


def error_of(fault: Fault, call: Call) -> Answer:
    """How a service tells a fault."""
    code, message, status = _CODES[fault].get(call.service) or _CODES[fault][""]
    return call.error(code, message, status)


_CODES: dict[str, dict[str, tuple[str, str, int]]] = {
    "throttled": {
        "ec2": ("RequestLimitExceeded", "Request limit exceeded.", 503),
        "s3": ("SlowDown", "Please reduce your request rate.", 503),
        "ebs": ("RequestThrottledException", "The number of API requests has exceeded the maximum allowed.", 400),
        "": ("Throttling", "Rate exceeded", 400),
    },
    "server": {
        "ec2": ("InternalError", "An internal error has occurred", 500),
        "s3": ("InternalError", "We encountered an internal error. Please try again.", 500),
        "": ("ServiceUnavailable", "Service is unable to handle request.", 503),
    },
    "denied": {
        "ec2": ("UnauthorizedOperation", "You are not authorized to perform this operation.", 403),
        "": ("AccessDenied", "User is not authorized to perform this action", 403),
    },
    "capacity": {
        "": (
            "InsufficientInstanceCapacity",
            "We currently do not have sufficient capacity in the Availability Zone you requested.",
            500,
        ),
    },
    "quota": {
        "elbv2": ("TooManyLoadBalancers", "The maximum number of load balancers has been reached", 400),
        "iam": ("LimitExceeded", "Cannot exceed quota", 409),
        "s3": ("TooManyBuckets", "You have attempted to create more buckets than allowed", 400),
        "route53": ("TooManyHostedZones", "Limits Exceeded", 400),
        "": ("InstanceLimitExceeded", "You have requested more instances than your current limit allows", 400),
    },
    "refused": {"": ("InvalidParameterCombination", "The combination of parameters is not supported", 400)},
    "conflict": {
        "elbv2": ("ResourceInUse", "The resource is currently in use", 400),
        "iam": ("ConcurrentModification", "The request was rejected because of a concurrent modification", 409),
        "s3": ("OperationAborted", "A conflicting conditional operation is currently in progress", 409),
        "route53": ("PriorRequestNotComplete", "The request was rejected, a prior one is not complete", 400),
        "": ("DependencyViolation", "The resource has a dependent object", 400),
    },
}
