"""The power of a host: its switch, pressed again only after a while, and what its BMC says of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import evolve

from prov_metal.bmc.address import parse
from prov_metal.diagnosis.collect import hear
from prov_metal.kinds.props import HostJob
from prov_metal.said_off import SaidOff, noted, said_in
from prov_metal.signs import sign_of
from prov_metal.ways.way import Trip
from provisioner.sdk import OperatorNeeded, Pending

POLL_S = 5.0
PATIENCE = timedelta(seconds=20)
"""How long a machine may take to show that its power switch was pressed."""


def since(job: HostJob) -> datetime:
    """When the phase began."""
    return datetime.fromisoformat(job.memo["since"])


def pressed(job: HostJob, trip: Trip, *, on: bool, phase: str, **kept: str) -> Pending:
    """Presses the power switch, again only after a while: some machines take their time to show it.

    A phase that begins with it remembers `kept` and no more. What was said of the power before counts no longer.
    """
    now = trip.ctx.now()
    memo = dict(job.memo) if job.phase == phase else dict(kept)
    before = memo.get("pressed_at")
    if before is None or now - datetime.fromisoformat(before) > PATIENCE:
        trip.bmc.switch(on=on)
        memo = noted(memo, None) | {"pressed_at": now.isoformat()}
    return Pending(id=job.id, phase=phase, memo=memo, after_s=POLL_S, note=f"is switched {'on' if on else 'off'}")


def found_off(job: HostJob, trip: Trip, patience: timedelta) -> HostJob | Pending:
    """The job to go on with once the host is off, as its BMC says in this call; the wait where that is not sure yet.

    Everything that must not be done to a machine that runs stands behind this: what it boots from is changed, its
    disc is taken out, it counts as erased or as free. `patience` is one of `said_off`.
    Raises OperatorNeeded where the machine shows that it runs, again and again.
    """
    hear(trip)
    before, now = said_in(job.memo), trip.ctx.now()
    sign = sign_of(trip, anew=before is None)
    said = (before or SaidOff(now)).after(now, sign=bool(sign))
    verdict = said.verdict(now, patience)
    if verdict == "lie":
        raise OperatorNeeded(
            "a BMC says that its machine is off, and it runs",
            detail=f"{trip.wanted.host}: {parse(trip.wanted.bmc).base} says that it is off, and {sign}",
            remedy="restart the BMC, so that it looks at the power again; then `prov apply`",
        )
    if verdict == "wait":
        note = f"is said to be off, and {sign}" if sign else "is said to be off"
        return Pending(id=job.id, phase=job.phase, memo=noted(job.memo, said), after_s=POLL_S, note=note)
    return evolve(job, memo=noted(job.memo, SaidOff(said.since)))


def found_on(job: HostJob) -> HostJob:
    """The same where its BMC says that it is on."""
    return evolve(job, memo=noted(job.memo, None))
