"""Collecting what can be seen of a host, once something has gone wrong with it.

Nothing here changes anything, and nothing raises: what cannot be had is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from prov_metal.bmc.driver import HasEvents, HasMedia, HasWitnesses, TellsBoot
from prov_metal.diagnosis.evidence import Evidence, Reach, Shown
from prov_metal.trust import carried
from prov_metal.ways.known import WAYS
from provisioner.sdk import ProviderError

if TYPE_CHECKING:
    from prov_metal.ways.way import Trip

T = TypeVar("T")
_FETCHING = ("starting", "booting")
_NEEDED = ("stopped", "loaded", "armed")
_TALKING = ("armed", "starting", "booting", "parted", "from-disk", "up", "waiting", "switching")
"""Phases in which the machine itself may say something."""


def hear(trip: Trip) -> None:
    """Listens to the host's console from now on, where there is a way to."""
    console = trip.client.console(trip.wanted)
    if console is not None:
        _quiet(console.tail, "")


def collect(trip: Trip, phase: str, way: str, err: ProviderError) -> Evidence:
    """What is there to be seen now."""
    wanted, client, bmc = trip.wanted, trip.client, trip.bmc
    talks = "a BMC does not answer" not in err.detail
    facts = _quiet(bmc.facts, None) if talks else None
    answers = facts is not None
    console = client.console(wanted)
    return Evidence(
        host=wanted.host,
        phase=phase,
        way=way,
        address=wanted.address,
        now=trip.ctx.now(),
        error=f"{err.summary}: {err.detail}",
        reach=Reach() if answers else client.reach(wanted.bmc),
        facts=facts,
        next_boot=_quiet(bmc.next_boot, None) if answers and isinstance(bmc, TellsBoot) else None,
        media=_quiet(bmc.media, None) if answers and isinstance(bmc, HasMedia) else None,
        witnesses=_quiet(bmc.witnesses, {}) if answers and isinstance(bmc, HasWitnesses) else {},
        events=tuple(_quiet(bmc.events, ())) if answers and isinstance(bmc, HasEvents) else (),
        served=_served(trip, way) if phase in _FETCHING or (client.elsewhere and phase in _NEEDED) else 200,
        elsewhere=client.elsewhere,
        requests=tuple(_quiet(lambda: client.boot.requests(wanted.host), [])),
        leases=tuple(_quiet(lambda: client.dhcp.log() if client.dhcp else [], [])),
        macs=tuple(wanted.macs),
        known=client.met.macs(),
        console=_quiet(console.tail, "") if console is not None else "",
        handed=_quiet(lambda: carried(wanted.trust, way) == "api", False),
        heard=console is not None,
        talos=client.shown(wanted.address, wanted.authority) if phase in _TALKING else Shown(),
        doubles=client.met.doubles(wanted.host),
    )


def _served(trip: Trip, way: str) -> int:
    """What is answered to somebody who asks for what the host should boot."""
    url = _quiet(lambda: WAYS[way].serve(trip), None)
    return 200 if url is None else trip.client.status_of(url)


def _quiet(look: Callable[[], T], without: T) -> T:
    """What a look gives; `without` where it cannot be had."""
    try:
        return look()
    except ProviderError:
        return without
