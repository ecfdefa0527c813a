"""What takes its time: states that last a while, and new objects that do not show yet.

Time passes in polls or in seconds: a hold ends once there have been as many polls, or as many seconds have gone by,
whichever comes first.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field, frozen
from beds.aws.calls import Call


@frozen
class Pace:
    """How long something takes: polls that still see the old, or seconds; 0 for what does not count."""

    polls: int = 0
    seconds: float = 0.0

    @property
    def takes_time(self) -> bool:
        return self.polls > 0 or self.seconds > 0


@define
class _Hold:
    call: Call
    action: str
    pace: Pace
    since: float
    end: Callable[[], None]
    polls: int = 0

    def is_over(self, now: float) -> bool:
        polled = 0 < self.pace.polls <= self.polls
        return polled or 0 < self.pace.seconds <= now - self.since


@define
class Holds:
    """Everything that is not as it will be; `now` is the clock."""

    now: Callable[[], float]
    _holds: dict[str, _Hold] = field(factory=dict)

    def begin(self, name: str, call: Call, action: str, pace: Pace, end: Callable[[], None]) -> None:
        """Something lasts from now on; `action` is the read that sees it. What lasted by this name is forgotten."""
        if not pace.takes_time:
            self._holds.pop(name, None)
            end()
            return
        self._holds[name] = _Hold(call, action, pace, self.now(), end)

    def forget(self, name: str) -> None:
        """It shall not end by itself any more."""
        self._holds.pop(name, None)

    def lasts(self, name: str) -> bool:
        """Whether this is still so."""
        return name in self._holds

    def pass_(self) -> None:
        """Ends what is over by now."""
        now = self.now()
        for name, hold in [*self._holds.items()]:
            if hold.is_over(now) and self._holds.get(name) is hold:
                del self._holds[name]
                hold.end()

    def polled(self, call: Call) -> None:
        """A read has seen what lasts; a call that nobody recorded as a poll of anything changes nothing."""
        for hold in self._holds.values():
            if (hold.action, hold.call.account, hold.call.region) == (call.name, call.account, call.region):
                hold.polls += 1
        self.pass_()

    def end_all(self) -> None:
        """Lets everything be over at once."""
        while self._holds:
            _, hold = self._holds.popitem()
            hold.end()
