"""What all links have in common: addresses, routes and the largest packet.

Source: siderolabs/talos v1.14, `types/network/link.go` (CommonLinkConfig); for the root document `Device`, `Vlan`
and `Route` of v1.11.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.sdk import Value
from provisioner.talos.config.documents.dhcp import DHCP
from provisioner.talos.settings.forms import ADDRESS, ANYWHERE, DESTINATION, OWN_ADDRESS, fixed, whole
from provisioner.talos.settings.section import Complaint, Settings, items, plain, present, renamed, rows
from provisioner.talos.settings.shape import Key, Many, Table

_ROUTE = Table(
    {
        "to": Key(DESTINATION, "where to; the default route if it is left out"),
        "via": Key(ADDRESS, "the gateway"),
        "source": Key(ADDRESS, "the address packets get as their source"),
        "metric": Key(whole(1, 2**32 - 1), "of several routes the one with the lowest metric is taken"),
        "mtu": Key(whole(68, 2**32 - 1), "the largest packet on this route"),
        "table": Key(
            fixed(whole(1, 252)),
            "the routing table, the main one if it is left out",
            needs=lambda contract: contract.link_documents,
        ),
    }
)

COMMON = {
    "addresses": Key(Many(OWN_ADDRESS), "static addresses, each with its prefix length"),
    "routes": Key(Many(_ROUTE), "static routes"),
    "mtu": Key(whole(68, 65535), "the largest packet in bytes"),
    "dhcp": DHCP,
}
"""Keys of every link."""


def link_fields(settings: Settings) -> dict[str, Value]:
    """The fields of a link's document."""
    return present(
        mtu=settings.get("mtu"),
        addresses=tuple({"address": address} for address in items(settings, "addresses")) or None,
        routes=tuple(_route(route) for route in rows(settings, "routes")) or None,
    )


def interface_fields(settings: Settings) -> dict[str, Value]:
    """The fields of an entry among the root document's interfaces."""
    return present(
        addresses=items(settings, "addresses") or None,
        routes=tuple(_legacy_route(route) for route in rows(settings, "routes")) or None,
        mtu=settings.get("mtu"),
    )


def _route(settings: Settings) -> dict[str, Value]:
    table = plain(settings, "table")
    fields = _destination(settings, "destination")
    fields |= renamed(settings, {"via": "gateway", "source": "source", "metric": "metric", "mtu": "mtu"})
    return fields if table is None else {**fields, "table": str(table)}


def _legacy_route(settings: Settings) -> dict[str, Value]:
    names = {"via": "gateway", "source": "source", "metric": "metric", "mtu": "mtu"}
    return _destination(settings, "network") | renamed(settings, names)


def _destination(settings: Settings, name: str) -> dict[str, Value]:
    return {} if plain(settings, "to") in (None, *ANYWHERE) else {name: settings["to"]}


def judge_routes(settings: Settings, *path: str) -> Iterator[Complaint]:
    """Routes that lead nowhere."""
    for number, route in enumerate(rows(settings, "routes")):
        if "via" not in route and plain(route, "to") in (None, *ANYWHERE):
            yield Complaint((*path, "routes", number), "a default route needs a gateway", "add `via:`")
