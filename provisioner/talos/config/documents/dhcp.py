"""The `DHCPv4Config` and `DHCPv6Config` documents.

Source: siderolabs/talos v1.14, `types/network/dhcp4.go` and `dhcp6.go`; for the root document `DHCPOptions` of v1.11.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.sdk import Value
from provisioner.talos.settings.forms import FLAG, SWITCH, whole
from provisioner.talos.settings.section import Document, Settings, document, plain, present, table
from provisioner.talos.settings.shape import Key, Table

DHCP = Key(
    Table(
        {
            "ipv4": Key(SWITCH, "whether to ask for an IPv4 address; true unless it says otherwise"),
            "ipv6": Key(SWITCH, "whether to ask for an IPv6 address"),
            "metric": Key(whole(1, 2**32 - 1), "the metric of the routes that come with the address"),
            "ignore_hostname": Key(
                FLAG,
                "whether to leave the host name that comes with the address alone",
                needs=lambda contract: contract.link_documents,
            ),
            "ignore_routes": Key(
                FLAG,
                "whether to leave the routes that come with the IPv4 address alone",
                needs=lambda contract: contract.dhcp_without_routes,
            ),
        },
        short="ipv4",
        whole=True,
    ),
    "whether to ask for addresses; `true` is short for `{ipv4: true}`",
)
"""As soon as one link is configured, those that shall use DHCP must say so."""


def wants_dhcp(link: Settings) -> tuple[bool, bool]:
    """Whether a link asks for IPv4, and for IPv6."""
    if "dhcp" not in link:
        return False, False
    settings = table(link, "dhcp")
    return plain(settings, "ipv4") is not False, plain(settings, "ipv6") is True


def dhcp(name: str, link: Settings) -> Iterator[Document]:
    """The documents for one link, none where it does not ask."""
    settings = table(link, "dhcp")
    ipv4, ipv6 = wants_dhcp(link)
    metric, ignore = settings.get("metric"), settings.get("ignore_hostname")
    if ipv4:
        routes = settings.get("ignore_routes")
        yield document("DHCPv4Config", name, routeMetric=metric, ignoreHostname=ignore, ignoreRoutes=routes)
    if ipv6:
        yield document("DHCPv6Config", name, routeMetric=metric, ignoreHostname=ignore)


def interface_dhcp(link: Settings) -> dict[str, Value]:
    """The same as fields of an entry among the root document's interfaces."""
    ipv4, ipv6 = wants_dhcp(link)
    if not ipv4 and not ipv6:
        return {"dhcp": False} if "dhcp" in link else {}
    settings = table(link, "dhcp")
    options = present(
        routeMetric=settings.get("metric"), ipv4=None if ipv4 else False, ipv6=settings.get("ipv6") if ipv6 else None
    )
    return {"dhcp": True, **present(dhcpOptions=options)}
