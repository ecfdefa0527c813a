"""How long each phase of a host may take, and what is said when it takes longer.

The time of a phase counts from when this process first saw the host in it: a run that goes on where another was cut
off gives the phase its time again. A machine that did not do what it should is begun anew by the next run, with the
configuration that the file has then; where its BMC or the image was what kept it, the next run goes on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from prov_metal.boot.tokens import redacted
from provisioner.sdk import Answer, Fatal, OperatorNeeded, Pending, ProviderError, Retry

if TYPE_CHECKING:
    from prov_metal.ways.way import Trip


@frozen
class Deadline:
    """A phase's time, what was waited for in it, and what to do when it is over.

    ours  whether the machine itself has done nothing yet, so that the next run goes on from here
    """

    limit: timedelta
    awaited: str
    remedy: str
    ours: bool = False


def _of(minutes: int, awaited: str, remedy: str, *, ours: bool = False) -> Deadline:
    return Deadline(timedelta(minutes=minutes), awaited, remedy, ours)


_BMC = "look at the BMC's own page; resetting the BMC often helps"
DEADLINES: Mapping[str, Deadline] = {
    "": _of(5, "its BMC does not answer as it should", _BMC, ours=True),
    "stopping": _of(4, "it does not switch off", _BMC, ours=True),
    "stopped": _of(60, "there is nothing to boot it with", "look at the note before this, and at `image`", ours=True),
    "loaded": _of(5, "its BMC does not take the order to boot", _BMC, ours=True),
    "armed": _of(5, "it does not switch on", _BMC),
    "starting": _of(5, "it does not switch on", f"look at its power supply; {_BMC}"),
    "booting": _of(
        30, "no node came of the image it should boot", "look at its console, then at `prov serve --json`"
    ),
    "parted": _of(5, "it does not switch on to boot from its disk", _BMC),
    "from-disk": _of(15, "no node came of its disk", "look at its console; is `disk` the right one in its row?"),
    "up": _of(5, "what it booted from cannot be taken away", _BMC, ours=True),
    "switching": _of(5, "its power switch does nothing", _BMC, ours=True),
    "waiting": _of(20, "it does not switch itself off", "look at its console", ours=True),
    "emptying": _of(5, "what it booted from cannot be taken away", _BMC, ours=True),
}
"""By phase of the drawings in `kinds/host.py` and `kinds/release.py`; `switching` is that of an update."""

_EACH_WAY = ("stopping", "stopped", "loaded", "armed", "starting", "booting")
_ONCE = ("", "parted", "from-disk", "up")


def most_s(ways: Sequence[str]) -> float:
    """The seconds that a host may take with these ways at most, if it fails at the last moment each time.

    One way counts twice, and the disk: a machine of which nobody knows whether it was installed boots from its disk
    first, and then once more from its image.
    """
    phases = [*_EACH_WAY * (max(1, len(ways)) + 1), *_ONCE, *_ONCE]
    return sum((DEADLINES[phase].limit for phase in phases), timedelta()).total_seconds()


@define
class Watch:
    """Since when this process sees each host in the phase that it is in."""

    _seen: dict[str, tuple[str, datetime]] = field(init=False, factory=dict)
    _lock: threading.Lock = field(init=False, factory=threading.Lock)

    def over(self, host: str, phase: str, way: str, now: datetime) -> bool:
        """Whether the phase's time is over; the first question begins it. Another way is another phase."""
        name = f"{way} {phase}"
        with self._lock:
            known, since = self._seen.get(host, ("", now))
            if known != name:
                self._seen[host] = (name, now)
                return False
        return now - since > DEADLINES[phase].limit


def in_time(trip: Trip, phase: str, act: Callable[[], Answer]) -> Answer:
    """What `act` answers, where there is one way only; raises what it raises, and the error for a phase too long."""
    over = trip.client.watch.over(trip.wanted.host, phase, "", trip.ctx.now())
    try:
        answer = act()
    except Retry as err:
        if not over:
            raise
        raise too_late(trip, phase, "", whole(err)) from None
    if over and isinstance(answer, Pending) and answer.phase == phase:
        raise too_late(trip, phase, "", answer.note)
    return answer


def whole(err: ProviderError) -> str:
    """An error as a note has it."""
    return redacted(f"{err.summary}: {err.detail}" if err.detail else err.summary)


def too_late(trip: Trip, phase: str, way: str, last: str) -> ProviderError:
    """The error for a phase that took too long; `last` is what was last heard of it."""
    deadline = DEADLINES[phase]
    minutes = deadline.limit.total_seconds() / 60
    detail = f"{trip.wanted.host}: {deadline.awaited} after {minutes:.0f} min"
    detail += f" ({phase or 'begin'}{f', by {way}' if way else ''}" + (f"; {last})" if last else ")")
    if deadline.ours:
        return OperatorNeeded("a host takes too long", detail=detail, remedy=deadline.remedy)
    return Fatal(
        "a host takes too long", detail=detail, remedy=f"{deadline.remedy}; the next `prov apply` begins it anew"
    )
