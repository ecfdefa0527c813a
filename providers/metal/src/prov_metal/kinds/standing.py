"""What happens to a host that is made: it is switched on or off, as the file says."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from prov_metal.boot.tokens import without_tokens
from prov_metal.deadlines import in_time
from prov_metal.diagnosis.explain import explaining
from prov_metal.kinds.meeting import is_meant, is_the_same
from prov_metal.kinds.power import found_off, pressed
from prov_metal.kinds.props import HostJob, outputs_of
from prov_metal.said_off import AT_ONCE, MOMENT
from prov_metal.ways.way import Trip
from provisioner.sdk import Answer, Done, Pending


def in_first_way(trip: Trip, job: HostJob, act: Callable[[], Answer]) -> Answer:
    """A step that is no matter of ways: in its time, and explained as those of a host on its way are."""
    way = trip.wanted.boot[0]
    return without_tokens(lambda: explaining(trip, job.phase, way, lambda: in_time(trip, job.phase, act)))


def switched(job: HostJob, trip: Trip) -> Answer:
    """One call of an update. To press "on" does no harm to a machine that runs, so "off" is believed at once then."""
    facts, on = trip.bmc.facts(), trip.wanted.power == "on"
    trip = evolve(trip, facts=facts)
    is_meant(trip.wanted, facts, {})
    is_the_same(job, facts)
    if not facts.on:
        found = found_off(job, trip, AT_ONCE if on else MOMENT)
        if isinstance(found, Pending):
            return found
        job = found
    if facts.on != on:
        return pressed(job, trip, on=on, phase="switching")
    return Done(outputs_of(trip.wanted, facts))
