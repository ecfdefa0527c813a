"""The ways there are, and which of them a host goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prov_metal.ways.http import HttpWay
from prov_metal.ways.media import MediaWay
from prov_metal.ways.network import NetworkWay
from prov_metal.ways.way import Trip, Way
from provisioner.sdk import OperatorNeeded, did_you_mean

WAYS: Mapping[str, Way] = {way.name: way for way in (MediaWay(), HttpWay(), NetworkWay())}


def usual(bmc: str) -> tuple[str, ...]:
    """The ways of a host whose row names none, by the address of its BMC: IPMI has no media."""
    return ("network",) if bmc.startswith("ipmi") else ("media",)


def unknown(names: Sequence[str]) -> str:
    """What is wrong with the names of ways; empty where nothing is."""
    for name in names:
        if name not in WAYS:
            return f"there is no way {name!r}; {did_you_mean(name, WAYS)}"
    return ""


def possible(trip: Trip) -> tuple[Way, ...]:
    """The host's ways in their order, without those that its BMC cannot do; raises OperatorNeeded if none is left."""
    impossible = refused(trip)
    ways = tuple(WAYS[name] for name in trip.wanted.boot if name not in impossible)
    if not ways:
        reasons = "; ".join(f"{name}: {why}" for name, why in impossible.items())
        raise OperatorNeeded(
            "a host cannot be booted in any of its ways",
            detail=f"{trip.wanted.host}: {reasons}",
            remedy="name other ways as `boot` in its row of the inventory",
        )
    return ways


def refused(trip: Trip) -> Mapping[str, str]:
    """The host's ways that its BMC cannot do, and why."""
    found = {name: WAYS[name].possible(trip.bmc) for name in trip.wanted.boot}
    return {name: why for name, why in found.items() if why}


def named(name: str, ways: Sequence[Way]) -> Way:
    """The way of this name, else the first."""
    return next((way for way in ways if way.name == name), ways[0])


def after(way: Way, ways: Sequence[Way]) -> Way | None:
    """The way that is tried when this one leads nowhere."""
    rest = ways[ways.index(way) + 1 :]
    return rest[0] if rest else None
