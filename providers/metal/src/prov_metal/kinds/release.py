"""Giving a host back: off, its disks erased where its row says so, emptied, the boot order as it was.

    (begin) ──(is off)───────────────────────────────────────────► emptying ──► done
       │                                                               ▲
       │ its node has left                                             │
       ▼                                                               │
    waiting ──(switched itself off)────────────────────────────────────┤
       │                                                               │
       └──(time is over: nothing to erase, or that is given up)──► stopping

A node that leaves is reset by Talos, whose API ends before anything is erased; the machine powers off when all of it
is, and only then. So the host is left alone until it is off: a hand on the switch in between would leave a disk as it
was. With nothing to erase the wait is short, for a machine that hangs shall not keep its host. That it is off is not
believed before it is sure, see `said_off`: a host that runs is neither free nor erased.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from attrs import evolve

from prov_metal.boot.tokens import without_tokens
from prov_metal.kinds.meeting import is_as_recorded, is_meant
from prov_metal.kinds.power import found_off, found_on, pressed, since
from prov_metal.kinds.props import HostJob
from prov_metal.said_off import LAG, MOMENT, said_in
from prov_metal.ways.known import WAYS, refused
from prov_metal.ways.way import Trip
from provisioner.sdk import ERASED, Address, Answer, Done, Erasure, OperatorNeeded, Pending, Value

RELEASE = "release"
"""The manner of a host whose node leaves for good."""
SPARING = "release/unwiped"
"""The same, where disks that cannot be erased may stay as they are."""
POLL_S = 5.0
ERASING = timedelta(minutes=15)
"""How long a machine may take to erase its disks. Talos does it quickly; shutting down everything takes longer."""
ENDING = timedelta(minutes=2)
"""How long a machine without disks to erase may take to power off."""


def how(address: Address, going: frozenset[Address]) -> tuple[str, str]:
    """A host that goes for good is given back; one that is made anew is only switched off."""
    return (RELEASE, "switched off, emptied, free for others") if address in going else ("", "")


def erasure(disks: tuple[Value, ...], manner: str) -> Erasure | None:
    """What Talos erases on the host, as its record names it."""
    return Erasure(tuple(map(str, disks)), "", SPARING) if disks and manner.startswith(RELEASE) else None


def release(job: HostJob, trip: Trip) -> Answer:
    """One call on the way drawn above. A host that was refused at the first look is nobody's business here."""
    if job.id is None:
        return Done(None)
    facts = trip.bmc.facts()
    trip = evolve(trip, facts=facts)
    is_meant(trip.wanted, facts, job.memo)
    is_as_recorded(job, facts)
    left = job.how.startswith(RELEASE) and job.applied is not None
    seen = {ERASED: job.memo[ERASED]} if ERASED in job.memo else {}
    if facts.on and left and job.phase != "stopping" and not seen:
        return _wait(found_on(job), trip)
    if facts.on:  # where its end was seen, somebody has switched it on since
        return pressed(found_on(job), trip, on=False, phase="stopping", **seen)
    found = found_off(job, trip, LAG if left and job.phase not in ("stopping", "emptying") else MOMENT)
    if isinstance(found, Pending):
        return found
    if trip.wanted.wipe and left and not seen:
        return _told(found, _went_off(found), trip)
    if found.phase != "emptying":
        return Pending(id=found.id, phase="emptying", memo=found.memo, after_s=0.0, note="is off")
    impossible = refused(trip)
    for name in trip.wanted.boot:
        if name not in impossible:
            without_tokens(partial(WAYS[name].clear, trip))
    trip.client.met.forget(trip.wanted.host)
    return Done(None)


def _wait(job: HostJob, trip: Trip) -> Pending:
    """Leaves the host alone until it is off."""
    now, wipe = trip.ctx.now(), trip.wanted.wipe
    if job.phase != "waiting":
        memo = {"since": now.isoformat()}
        note = f"erases {', '.join(wipe)}" if wipe else "shuts down"
        return Pending(id=job.id, phase="waiting", memo=memo, after_s=POLL_S, note=note)
    waited = now - since(job)
    if waited < (ERASING if wipe else ENDING):
        note = f"erases {', '.join(wipe)}, and has not switched itself off yet" if wipe else "shuts down"
        return Pending(id=job.id, phase="waiting", memo=job.memo, after_s=POLL_S, note=note)
    if wipe and job.how != SPARING:
        raise OperatorNeeded(
            "a host that is to erase its disks does not switch itself off",
            detail=f"{trip.wanted.host}: {', '.join(wipe)}: it is still on {_minutes(waited)} after its node left",
            remedy="look at its console; once it is off apply again, or accept that its disks may not be erased with "
            "--allow unwiped",
        )
    return _over(job, trip, f"is switched off as it is, {_minutes(waited)} after its node left")


def _over(job: HostJob, trip: Trip, seen: str) -> Pending:
    """The end of the wait with the host still on."""
    memo = {ERASED: f"{', '.join(trip.wanted.wipe)}: the host {seen}"} if trip.wanted.wipe else {}
    trip.ctx.say(f"{trip.wanted.host} {seen}")
    return Pending(id=job.id, phase="stopping", memo=memo, after_s=0.0, note="is switched off")


def _went_off(job: HostJob) -> str:
    """What the power of a host that is off tells: nobody here pressed its switch."""
    said = said_in(job.memo)
    if job.phase == "waiting" and said is not None:
        return f"went off by itself {_seconds(said.since - since(job))} after its node left"
    return "was off when its node had left"


def _told(job: HostJob, seen: str, trip: Trip) -> Pending:
    memo = {**job.memo, ERASED: f"{', '.join(trip.wanted.wipe)}: the host {seen}"}
    return Pending(id=job.id, phase=job.phase, memo=memo, after_s=0.0, note=seen)


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:.0f} min"


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():.0f} s"
