"""What all ways do for a host: make it known, hand it its configuration, and forget it."""

from __future__ import annotations

import contextlib
import ipaddress

from prov_metal.boot.blobs import Blob
from prov_metal.boot.dhcp import Guest
from prov_metal.trust import carried
from prov_metal.ways.way import Trip

QUERY = "?uuid=${uuid}&serial=${serial}"
"""Talos fills this in, see its kernel argument `talos.config`."""


def config_of(trip: Trip) -> str | None:
    """What goes to the host with its image; None where it is handed over when the host waits for it."""
    if carried(trip.wanted.trust, trip.way) == "api":
        return None
    return str(trip.wanted.user_data.reveal())


def argument(trip: Trip, query: str = QUERY) -> str:
    """The kernel argument by which the host finds its configuration, which is served from now on; perhaps empty."""
    config = config_of(trip)
    if config is None:
        return ""
    url = trip.client.boot.offer(trip.wanted.host, trip.token, "yaml", lambda: Blob.of(config.encode()))
    return f"talos.config={url}{query}"


def introduce(trip: Trip) -> None:
    """Tells the boot service who the host is, so that no other machine gets what is its own; and our DHCP."""
    wanted, facts = trip.wanted, trip.facts
    # What IPMI says of a UUID is the BMC's own on many boards.
    by_bmc = facts.uuid if facts is not None and wanted.bmc.startswith("redfish") else ""
    known = {"uuid": (wanted.uuid or by_bmc,), "serial": (wanted.serial,), "mac": wanted.macs}
    # A card's address proves nothing, and what is served by it may name the place of the configuration.
    cards = wanted.macs if wanted.trust != "media" else ()
    trip.client.boot.knows(wanted.host, trip.token, known, cards)
    dhcp = trip.client.dhcp
    if dhcp is not None and wanted.macs:
        trip.client.boot.card = dhcp.card
        dhcp.welcome(Guest(wanted.host, wanted.macs, _literal(wanted.address)))


def forget(trip: Trip) -> None:
    """Serves the host no longer: it has what it needs, or is given up."""
    trip.client.boot.revoke(trip.wanted.host)
    if trip.client.dhcp is not None:
        trip.client.dhcp.dismiss(trip.wanted.host)


def _literal(address: str) -> str:
    """The address if it is one of IPv4, which is what machines boot by; else nothing."""
    with contextlib.suppress(ValueError):
        return str(ipaddress.IPv4Address(address))
    return ""
