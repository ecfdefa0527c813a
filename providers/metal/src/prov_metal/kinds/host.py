"""`metal.host`: a server in a rack, from whatever it was to a node that runs from its disk.

    (begin) ──► who is there? ──(on)──► stopping ──► stopped ◄──(off)── (begin)
                                                        │ the disc goes in
                                                     loaded
                                                        │ it shall boot from the disc, once
                                                      armed
                                                        │ power on
                                                     starting
                                                        │ is on
        ┌──(is a node, and runs from its disk)──────── booting ──(switched itself off: installed)──┐
        │                                                                                         ▼
        │                                 from-disk ◄── disc out, boot order lifted, power on ── parted
        ▼                                     │
       up ◄──(is a node)──────────────────────┘
        │ disc out, boot order lifted
       done

Where the host gets its configuration when it waits for it, that is done in `booting`, see `handover`.

Every call looks first and does at most one thing. That the host is off is not believed before it is sure, see
`said_off`. Some machines come back from the installer by themselves, others stay off; both ways end in `up`. The disc
is ejected with the machine off or running from its own disk, never under an installation.

Each phase has a deadline, see `deadlines`. Where a host can be booted in several ways and one of them does not lead
to a node, it goes back to `stopping` and on by the next one.

An installation is not begun twice. Where a run was cut off about the moment of a start, and the machine is off when
somebody looks again, nobody can tell whether it never started or has installed itself since. Then its own disk comes
first (`parted`), and only if no node comes of that, the whole way is gone once more, and no third time.
The same where it was started and nobody served it for a while: it may have asked then, and booted something else.
Once the time of `booting` is over, no node came and there is no other way, it is started once more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, ClassVar

from attrs import evolve

from prov_metal.bmc.driver import Facts
from prov_metal.boot.tokens import without_tokens
from prov_metal.client import Client
from prov_metal.deadlines import most_s, too_late, whole
from prov_metal.diagnosis.collect import hear
from prov_metal.diagnosis.explain import explaining
from prov_metal.handover import deliver, is_due, listen
from prov_metal.kinds.meeting import CHASSIS, is_free, is_meant, remembered
from prov_metal.kinds.power import found_off, found_on, pressed
from prov_metal.kinds.props import HostJob, HostOutputs, HostProps, outputs_of
from prov_metal.kinds.release import erasure, how, release
from prov_metal.kinds.standing import in_first_way, switched
from prov_metal.met import met_of
from prov_metal.said_off import LAG, MOMENT, noted, said_in
from prov_metal.trust import told
from prov_metal.ways.known import WAYS, after, named, possible, refused
from prov_metal.ways.way import Trip, Way
from provisioner.sdk import (
    Absent,
    Address,
    Answer,
    Context,
    Done,
    EndpointDown,
    Erasure,
    Fatal,
    FieldChange,
    OperatorNeeded,
    Pending,
    Reading,
    Retry,
    Seen,
    Unreachable,
    Update,
    Value,
    stops_it,
)

POLL_S = 5.0
BEGUN = timedelta(minutes=1)
"""In less than this no machine installs anything: if it is off, it has not started."""
HEARD = ("loaded", "armed", "starting", "booting", "parted", "from-disk")
"""Phases in which a machine says something, or is about to."""
DISK = timedelta(minutes=10)
"""How long a machine may take from the power switch to a node that runs from its disk."""


class HostKind:
    """Hosts of an inventory."""

    props: ClassVar[type[Any]] = HostProps
    outputs: ClassVar[type[Any]] = HostOutputs

    def read(self, client: Client, jobs: Sequence[HostJob], ctx: Context) -> Mapping[str, Reading]:
        """One look at each BMC. What is not on record as ours is nobody's: BMCs keep no owner."""
        return {job.key: _reading(client, job) for job in jobs}

    def create(self, client: Client, job: HostJob, ctx: Context) -> Answer:
        """The way drawn above."""
        return without_tokens(lambda: _further(_trip(client, _wanted(job), job, ctx), job))

    def takes_s(self, job: HostJob) -> float:
        props = job.wanted or job.applied
        return most_s(props.boot if props else ())

    def update(self, client: Client, job: HostJob, ctx: Context) -> Answer:
        """Switches it on or off where it is not; what else may change is how its BMC is spoken to."""
        trip = _trip(client, _wanted(job), job, ctx)
        return in_first_way(trip, job, lambda: switched(job, trip))

    def delete(self, client: Client, job: HostJob, ctx: Context) -> Answer:
        """See `release`."""
        props = job.applied or job.wanted
        if props is None:
            return Done(None)
        trip = _trip(client, props, job, ctx)
        return in_first_way(trip, job, lambda: release(job, trip))

    def how(self, address: Address, going: frozenset[Address], reading: Reading | None) -> tuple[str, str]:
        return how(address, going)

    def erasure(self, props: Mapping[str, Any], how: str, reading: Reading | None) -> Erasure | None:
        return erasure(tuple(props.get("wipe") or ()), how)

    def birth(self, wanted: Mapping[str, Value]) -> str:
        """Which host it is, what is written there, where it boots from, who gets its configuration."""
        trust, ways, bmc = wanted["trust"], wanted["boot"], wanted["bmc"]
        if not isinstance(trust, str) or not isinstance(ways, tuple) or not isinstance(bmc, str):
            return ""
        checked = wanted["verify"] is not False and not bmc.startswith("redfish+http:")
        place = f"{wanted['host']} at {wanted['address']}"
        disk = f", installs to {wanted['disk']}" if wanted.get("disk") else ""
        return f"{place}{disk}; {told(trust, [str(way) for way in ways], checked=checked)}"

    def consequence(self, changes: Sequence[FieldChange]) -> str:
        power = [change.after for change in changes if change.path[0] == "power"]
        return f"switches the host {power[0]}" if power else "nothing on the host"

    def interrupts(self, update: Update) -> bool:
        return stops_it(update)


def _further(trip: Trip, job: HostJob) -> Answer:
    """One step on; every error of a host on its way leaves here, with what is likely behind it."""
    ways = possible(trip)
    way = named(job.memo.get("way", ""), ways)
    trip = evolve(trip, way=way.name)
    try:
        return explaining(trip, job.phase, way.name, lambda: _attempted(trip, job, ways, way))
    except Fatal as err:
        err.effect = err.effect or job.id is not None  # it has been switched off, at least
        raise


def _attempted(trip: Trip, job: HostJob, ways: Sequence[Way], way: Way) -> Answer:
    """One step on, by the next way where this one led nowhere."""
    over = trip.client.watch.over(trip.wanted.host, job.phase, way.name, trip.ctx.now())
    try:
        answer = _step(job, trip, way)
    except Retry as err:
        if not over:
            raise
        raise too_late(trip, job.phase, way.name, whole(err)) from None
    except (Fatal, OperatorNeeded) as err:
        following = after(way, ways)
        if following is None or job.phase not in ("stopped", "loaded"):
            raise
        return _other(job, trip, way, following, whole(err))
    if not over or not isinstance(answer, Pending) or answer.phase != job.phase:
        return answer
    following = after(way, ways)
    if following is not None and job.phase in ("starting", "booting"):
        return _other(job, trip, way, following, answer.note)
    if job.phase == "booting" and "again" not in job.memo and _alone(job, trip):
        trip.ctx.say(f"{trip.wanted.host} is started once more: nothing was served to it for a while after its start")
        return _once_more(job, "starts again: nobody served it when it may have asked")
    raise too_late(trip, job.phase, way.name, answer.note)


def _reading(client: Client, job: HostJob) -> Reading:
    props = job.wanted or job.applied  # a password is looked with as the file has it now
    if job.id is None or props is None:
        return Absent()
    try:
        facts = client.bmc(props).facts()
    except EndpointDown as err:
        return Unreachable(err.detail or str(err))
    _acquainted(client, job).met.note(props.host, facts, props.macs)
    seen = {"host": props.host, "address": props.address, "image": props.image, "power": "on" if facts.on else "off"}
    outputs = {"id": props.host, "host": props.address, "vendor": facts.vendor, "model": facts.model}
    return Seen(seen, outputs | {"serial": facts.serial})


def _step(job: HostJob, trip: Trip, way: Way) -> Answer:
    facts = _facts(job, trip)
    trip = evolve(trip, facts=facts)
    trip.client.met.note(trip.wanted.host, facts, trip.wanted.macs)
    is_meant(trip.wanted, facts, job.memo)
    if job.phase in HEARD:
        hear(trip)
    if job.phase == "" and "again" not in job.memo:  # else whatever runs there by now is ours
        is_free(trip, facts)
    if facts.on:
        job = found_on(job)
    elif job.phase != "up":
        found = found_off(job, trip, LAG if job.phase == "booting" else MOMENT)
        if isinstance(found, Pending):
            return found
        job = found
    match job.phase:
        case "":
            return _meet(job, trip, way, facts)
        case "stopping":
            return _stop(job, trip, facts)
        case "stopped":
            return _load(job, trip, way)
        case "loaded":
            return _arm(job, trip, way)
        case "armed" | "starting" | "booting":
            return _boot(job, trip, way, facts)
        case "parted" | "from-disk":
            return _from_disk(job, trip, way, facts)
        case _:
            way.clear(trip)
            return Done(outputs_of(trip.wanted, facts))


def _facts(job: HostJob, trip: Trip) -> Facts:
    """What the BMC says. One that a host was met behind and that makes no sense now is waited for."""
    try:
        return trip.bmc.facts()
    except Fatal as err:
        if job.id is None:
            raise
        raise Retry(err.summary, detail=err.detail, remedy=err.remedy, after_s=POLL_S) from None


def _other(job: HostJob, trip: Trip, way: Way, following: Way, why: str) -> Pending:
    """Back to where it is off, and on by the next way."""
    trip.ctx.say(f"{trip.wanted.host} is booted by {following.name}, for {way.name} led nowhere: {why}")
    memo = _on_way(job) | {"way": following.name, "left": way.name}
    memo.pop("again", None)
    return Pending(id=job.id, phase="stopping", memo=memo, after_s=0.0, note=f"goes on by {following.name}")


def _meet(job: HostJob, trip: Trip, way: Way, facts: Facts) -> Pending:
    """The first thing that happens to the machine, which nobody uses."""
    wanted = trip.wanted
    if "again" in job.memo and facts.on and _is_node(trip):
        return _at("up", job, trip.ctx, "runs with its configuration", after_s=0.0)
    trip.ctx.say(f"{wanted.host} is {facts.vendor} {facts.model}".rstrip())
    for name, why in refused(trip).items():
        trip.ctx.say(f"{wanted.host} is not booted by {name}: {why}")
    memo = _on_way(job) | {"way": way.name, CHASSIS: remembered(facts)}
    if facts.on:
        trip.bmc.switch(on=False)
        memo["pressed_at"] = trip.ctx.now().isoformat()
        return Pending(id=wanted.host, phase="stopping", memo=memo, after_s=POLL_S, note="is switched off")
    return Pending(id=wanted.host, phase="stopped", memo=memo, after_s=0.0, note="is off")


def _stop(job: HostJob, trip: Trip, facts: Facts) -> Pending:
    if facts.on:
        return _pressed(job, trip, on=False, phase="stopping")
    if left := WAYS.get(job.memo.get("left", "")):
        try:
            left.clear(trip)
        except (Fatal, OperatorNeeded) as err:
            trip.ctx.say(f"{trip.wanted.host} keeps what {left.name} left: {whole(err)}")
    return Pending(id=job.id, phase="stopped", memo=_on_way(job), after_s=0.0, note="is off")


def _load(job: HostJob, trip: Trip, way: Way) -> Pending:
    trip.client.ready.discard(trip.wanted.host)
    if waits := _made_ready(trip, way, anew=True):
        return Pending(id=job.id, phase="stopped", memo=job.memo, after_s=POLL_S, note=waits)
    return Pending(id=job.id, phase="loaded", memo=job.memo, after_s=0.0, note="has what it will boot")


def _arm(job: HostJob, trip: Trip, way: Way) -> Pending:
    if waits := _made_ready(trip, way, anew=False):
        return Pending(id=job.id, phase="loaded", memo=job.memo, after_s=POLL_S, note=waits)
    listen(trip)
    way.arm(trip)
    return _at("armed", job, trip.ctx, "will boot once from where it is told", after_s=0.0)


def _made_ready(trip: Trip, way: Way, *, anew: bool) -> str:
    """Makes ready what a host that is off will boot, unless this process has; what there is to wait for, if anything.

    What another run made ready may be gone: a BMC that was restarted has an empty drive and no orders. Only `anew` is
    it made ready without a look: a BMC that found nobody serving may show a disc that it could not read.
    """
    url = _served(trip, way)
    waits = "waits for the image" if url is None else _unserved(trip, url)
    if not waits and trip.wanted.host not in trip.client.ready:
        if anew or not way.holds(trip):
            way.load(trip)
        trip.client.ready.add(trip.wanted.host)
    return waits


def _unserved(trip: Trip, url: str) -> str:
    """What is to be waited for until another process serves this; empty where it does, or is none."""
    status = trip.client.status_of(url) if trip.client.elsewhere else HTTPStatus.OK
    said = f"its answer is {status}" if status else "nobody answers"
    return "" if status == HTTPStatus.OK else f"waits for `prov serve` at {trip.client.settings.serve}: {said}"


def _boot(job: HostJob, trip: Trip, way: Way, facts: Facts) -> Pending:
    """Starts it, and waits until it has installed itself one way or the other."""
    if _served(trip, way) is None:
        return Pending(id=job.id, phase=job.phase, memo=job.memo, after_s=POLL_S, note="waits for the image")
    if job.phase != "booting":
        return _start(job, trip, facts)
    if not facts.on:
        return _at("parted", job, trip.ctx, "has switched itself off", after_s=0.0)
    if _is_node(trip):
        return _at("up", job, trip.ctx, "runs with its configuration", after_s=0.0)
    if is_due(trip):
        return deliver(job, trip, facts)
    note = "installs itself, unless it asked for something while no run was there" if _alone(job, trip) else ""
    return Pending(id=job.id, phase="booting", memo=job.memo, after_s=POLL_S, note=note or "installs itself")


def _start(job: HostJob, trip: Trip, facts: Facts) -> Pending:
    if facts.on:
        if _alone(job, trip):
            return _at("booting", job, trip.ctx, "boots what it was told to", alone="yes")
        return _at("booting", job, trip.ctx, "boots the image")
    seen = trip.wanted.host in trip.client.ready  # all of it, by this process
    begun = not timedelta() <= _since(job, trip.ctx) <= BEGUN  # where clocks differ, nobody knows
    if begun and not (seen and "again" in job.memo):
        return _at("parted", job, trip.ctx, "may have been installed already", after_s=0.0, unsure="yes")
    if job.phase == "armed":
        listen(trip)
        trip.bmc.switch(on=True)
        return _at("starting", found_on(job), trip.ctx, "is switched on")
    return _pressed(job, trip, on=True, phase="starting")


def _from_disk(job: HostJob, trip: Trip, way: Way, facts: Facts) -> Pending:
    """Starts it from its own disk, once more where it goes off again, and waits for the node."""
    if facts.on and _is_node(trip):
        return _at("up", job, trip.ctx, "runs with its configuration", after_s=0.0)
    if "unsure" in job.memo and "again" not in job.memo and _since(job, trip.ctx) > DISK:
        return _once_more(job, "has nothing on its disk")
    if facts.on:
        return Pending(id=job.id, phase="from-disk", memo=job.memo, after_s=POLL_S, note="boots from its own disk")
    way.clear(trip)
    return _pressed(job, trip, on=True, phase=job.phase)


def _served(trip: Trip, way: Way) -> str | None:
    """Where what it boots is served from now on; None while that is on its way."""
    url = way.serve(trip)
    if url is not None:
        trip.client.serving(trip.wanted.host, trip.ctx.now())
    return url


def _alone(job: HostJob, trip: Trip) -> bool:
    """Whether it was started before this process served it: another run was cut off, and nobody answered it."""
    served = trip.client.serving(trip.wanted.host, trip.ctx.now())
    return "alone" in job.memo or served > datetime.fromisoformat(job.memo["since"])


def _once_more(job: HostJob, note: str) -> Pending:
    """The whole way once more, and no third time."""
    return Pending(id=job.id, memo=_on_way(job) | {"again": "yes"}, after_s=0.0, note=note)


def _at(phase: str, job: HostJob, ctx: Context, note: str, *, after_s: float = POLL_S, **memo: str) -> Pending:
    """The beginning of a phase, which remembers when that was."""
    memo = _on_way(job) | {"since": ctx.now().isoformat()} | memo
    return Pending(id=job.id, phase=phase, memo=memo, after_s=after_s, note=note)


def _on_way(job: HostJob) -> dict[str, str]:
    """What is remembered through all phases; and since when its BMC says that it is off, if it does."""
    kept = {name: job.memo[name] for name in ("way", "again", CHASSIS) if name in job.memo}
    return noted(kept, said_in(job.memo))


def _since(job: HostJob, ctx: Context) -> timedelta:
    """How long ago the phase began."""
    return ctx.now() - datetime.fromisoformat(job.memo["since"])


def _pressed(job: HostJob, trip: Trip, *, on: bool, phase: str) -> Pending:
    return pressed(job, trip, on=on, phase=phase, **_on_way(job))


def _trip(client: Client, props: HostProps, job: HostJob, ctx: Context) -> Trip:
    return Trip(_acquainted(client, job), props, client.bmc(props), ctx, job.generation)


def _acquainted(client: Client, job: HostJob) -> Client:
    """The client, which knows what others have met for the same state."""
    if job.lineage:
        client.met = met_of(job.lineage)
    return client


def _is_node(trip: Trip) -> bool:
    return trip.client.is_node(trip.wanted)


def _wanted(job: HostJob) -> HostProps:
    assert job.wanted is not None, "the engine creates and updates with known props"
    return job.wanted
