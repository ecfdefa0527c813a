"""The power switch of a host, pressed again only after a while."""

from __future__ import annotations

from datetime import datetime, timedelta

from prov_metal.kinds.props import HostJob
from prov_metal.ways.way import Trip
from provisioner.sdk import Pending

POLL_S = 5.0
PATIENCE = timedelta(seconds=20)
"""How long a machine may take to show that its power switch was pressed."""


def since(job: HostJob) -> datetime:
    """When the phase began."""
    return datetime.fromisoformat(job.memo["since"])


def pressed(job: HostJob, trip: Trip, *, on: bool, phase: str, **kept: str) -> Pending:
    """Presses the power switch, again only after a while: some machines take their time to show it.

    A phase that begins with it remembers `kept` and no more.
    """
    now = trip.ctx.now()
    memo = dict(job.memo) if job.phase == phase else dict(kept)
    before = memo.get("pressed_at")
    if before is None or now - datetime.fromisoformat(before) > PATIENCE:
        trip.bmc.switch(on=on)
        memo["pressed_at"] = now.isoformat()
    return Pending(id=job.id, phase=phase, memo=memo, after_s=POLL_S, note=f"is switched {'on' if on else 'off'}")
