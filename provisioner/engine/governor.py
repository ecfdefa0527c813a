"""What an endpoint bears: calls in flight, calls in a second, and when to leave it alone.

    fine       the window grows by one for each full window of answers, up to the limit
    throttled  the window halves, and nobody calls until the pause that was asked for is over
    down       several times in a row: the circuit opens, and nobody calls for a while; then a single
               call finds out, and closes it or opens it for twice as long
    slow       an endpoint that wants rest has as much of it as its calls took

One governor is shared by everything that calls its endpoint, so what one call learns all of them heed. A call is
admitted before it takes a thread; so an endpoint that hangs costs its own window and nobody else's.
"""

from __future__ import annotations

from attrs import define, field

from provisioner.errors import EndpointDown, Throttled
from provisioner.sdk.provider import Limits

FAILURES_TO_OPEN = 5
OPEN_S = 5.0
OPEN_MAX_S = 60.0
_BACK_OFF_S = 1.0
_BACK_OFF_MAX_S = 60.0
_REST_MAX_S = 60.0


@define
class Governor:
    """One endpoint. Times are seconds on the run's clock."""

    limits: Limits
    in_flight: int = 0
    window: float = field(init=False)
    _tokens: float = 1.0
    _counted: float = 0.0
    _not_before: float = 0.0
    _begun: float = 0.0
    _back_off_s: float = _BACK_OFF_S
    _failures: int = 0
    _down_since: float = 0.0
    _open_s: float = OPEN_S

    @window.default
    def _widest(self) -> float:
        return float(self.limits.in_flight)

    @property
    def open(self) -> bool:
        """Whether the circuit is open, or waits for the one call that finds out."""
        return self._failures >= FAILURES_TO_OPEN

    def down_for(self, now: float) -> float:
        """The seconds since it stopped answering; 0 while the circuit is closed."""
        return now - self._down_since if self.open else 0.0

    def admit(self, now: float) -> float:
        """Takes a place and gives 0, or the seconds after which to ask again; infinity: once a call has ended."""
        if self.in_flight >= (1 if self.open else max(1, int(self.window))):
            return float("inf")
        if now < self._not_before:
            return self._not_before - now
        if self.limits.per_second and (wait := self._until_token(now)) > 0:
            return wait
        self.in_flight += 1
        self._begun = now
        return 0.0

    def ended(self, now: float, outcome: object) -> None:
        """A call ended, with an answer or an exception."""
        self.in_flight -= 1
        self._not_before = max(self._not_before, now + min((now - self._begun) * self.limits.rest, _REST_MAX_S))
        match outcome:
            case Throttled():
                self.window = max(1.0, self.window / 2)
                self._not_before = max(self._not_before, now + max(outcome.after_s, self._back_off_s))
                self._back_off_s = min(self._back_off_s * 2, _BACK_OFF_MAX_S)
            case EndpointDown():
                self._down_since = self._down_since if self._failures else now
                self._failures += 1
                if self.open and now >= self._not_before:  # others may still come back from before it opened
                    self._not_before = now + self._open_s
                    self._open_s = min(self._open_s * 2, OPEN_MAX_S)
            case _:
                self._failures, self._open_s, self._back_off_s = 0, OPEN_S, _BACK_OFF_S
                self.window = min(float(self.limits.in_flight), self.window + 1 / self.window)

    def _until_token(self, now: float) -> float:
        """Seconds until the rate allows another call; takes its token when that is now."""
        rate = self.limits.per_second
        self._tokens = min(max(1.0, rate), self._tokens + (now - self._counted) * rate)
        self._counted = now
        if self._tokens < 1:
            return (1 - self._tokens) / rate
        self._tokens -= 1
        return 0.0
