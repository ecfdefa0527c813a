"""The network of a cluster: one that is made for it, or one that exists.

            gateway                         a new network has a public subnet in each zone, and a private one
               │                            too where nodes shall have no public addresses
    public subnets ◄── balancer, NAT
               │
    private subnets ◄── nodes, if `nodes: private`

What a zone gets depends on its letter only, so a further zone moves nothing that stands.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from prov_aws.functions import subnet4
from prov_aws.settings import AwsSettings, NetworkWish, as_cidr, wish, wrong
from provisioner.sdk import Address, Call, Node, Ref, Resource, Slice, Value

_LETTERS = "abcdefgh"
_BITS = 4
"""A network is parted into sixteen: eight public subnets, eight private ones."""
EVERYWHERE, EVERYWHERE6 = "0.0.0.0/0", "::/0"


@frozen
class Network:
    """The network as the rest of the design needs it.

    id        of the network
    nodes     the subnet of the nodes, by zone
    feet      the subnet of the balancer, by zone
    ways      what a machine or balancer needs to be there, so that it is reached
    zone_ways the same for the nodes of a zone
    outside   from where nodes without public addresses are seen outside: CIDRs
    """

    id: Value
    nodes: Mapping[str, Value]
    feet: Mapping[str, Value]
    resources: tuple[Resource, ...] = ()
    ways: tuple[Address, ...] = ()
    zone_ways: Mapping[str, Address] = field(factory=dict)
    outside: tuple[Value, ...] = ()

    def ways_of(self, zone: str) -> tuple[Address, ...]:
        """What a node in a zone needs to be there."""
        own = self.zone_ways.get(zone)
        return self.ways if own is None else (*self.ways, own)


@frozen
class Maker:
    """Makes resources of one provider instance, with the names and tags they have in common."""

    instance: str
    cluster: str
    tags: Mapping[str, str]

    def resource(self, kind: str, name: str, props: Mapping[str, Value], *after: Address) -> Resource:
        """A resource called `name`, shown at AWS as `CLUSTER-name`."""
        given: dict[str, Value] = {"name": f"{self.cluster}-{name}", **props, "tags": dict(self.tags)}
        return Resource(Address(kind, name), self.instance, given, after=after)

    def look_up(self, kind: str, name: str, props: Mapping[str, Value]) -> Resource:
        """Something that is there."""
        return Resource(Address(kind, name), self.instance, props)


def zone_of(node: Node) -> str:
    """The zone of a node; pools without zones are in the first one."""
    return node.zone or _LETTERS[0]


def zones_of(nodes: Iterable[Node]) -> tuple[str, ...]:
    """The zones of nodes, in order."""
    return tuple(sorted({zone_of(node) for node in nodes}))


def network_of(part: Slice, settings: AwsSettings) -> Network:
    """The network for a slice."""
    wanted: NetworkWish = wish(NetworkWish, settings.network, "network")
    maker = Maker(part.instance, part.topology.cluster, settings.tags)
    return _existing(part, settings, wanted, maker) if wanted.exists else _new(part, settings, wanted, maker)


# one that exists


def _existing(part: Slice, settings: AwsSettings, wanted: NetworkWish, maker: Maker) -> Network:
    if wanted.id and wanted.tags:
        raise wrong("network has both id and tags; one of them names it")
    found = maker.look_up("aws.existing_network", part.instance, {"network": wanted.id, "tags": dict(wanted.tags)})
    network = Ref(found.address, "id")
    private = settings.nodes == "private"
    balancer = bool(settings.balancer.get("public", True))
    nodes = _Subnets(maker, network, "nodes", wanted.subnets, public=not private)
    feet = _Subnets(maker, network, "balancer", wanted.balancer_subnets or wanted.subnets, public=balancer)
    for cidr in wanted.outside:
        as_cidr("network.outside", cidr)
    by_node = {zone: nodes.of(zone) for zone in zones_of(part.nodes)}
    by_foot = {zone: feet.of(zone) for zone in zones_of(_control(part))}
    resources = (found, *nodes.resources, *feet.resources)
    return Network(network, by_node, by_foot, resources, outside=tuple(wanted.outside))


@frozen
class _Subnets:
    """Subnets that exist: by id, by tags, or the only one of a zone that is public, or is not."""

    maker: Maker
    network: Value
    what: str
    named: Mapping[str, Any]
    public: bool
    resources: list[Resource] = field(factory=list)

    def of(self, zone: str) -> Value:
        named = self.named.get(zone, {})
        if isinstance(named, str):
            return named
        if not isinstance(named, Mapping):
            raise wrong(f"network: the subnet of zone {zone} must be an id or {{tags: …}}")
        tags = named.get("tags", {})
        props: dict[str, Value] = {"network": self.network, "zone": zone, "tags": dict(tags)}
        if not tags:
            props["public"] = self.public
        found = self.maker.look_up("aws.existing_subnet", f"{self.maker.instance}-{self.what}-{zone}", props)
        self.resources.append(found)
        return Ref(found.address, "id")


# one that is made


def _new(part: Slice, settings: AwsSettings, wanted: NetworkWish, maker: Maker) -> Network:
    name, zones = part.instance, zones_of(part.nodes)
    network = maker.resource("aws.network", name, {"cidr": wanted.cidr, "ipv6": settings.ipv6})
    gateway = maker.resource("aws.gateway", name, {"network": Ref(network.address, "id")})
    id_ = Ref(network.address, "id")
    public = {zone: _subnet(maker, network, wanted, settings, zone, public=True) for zone in zones}
    out: dict[str, Value] = {EVERYWHERE: Ref(gateway.address, "id")}
    if settings.ipv6:
        out[EVERYWHERE6] = Ref(gateway.address, "id")
    table = _table(maker, f"{name}-public", id_, out, public.values())
    resources = (network, gateway, *public.values(), table)
    feet = {zone: Ref(public[zone].address, "id") for zone in zones_of(_control(part))}
    if settings.nodes == "public":
        nodes = {zone: Ref(subnet.address, "id") for zone, subnet in public.items()}
        return Network(id_, nodes, feet, resources, (table.address,))
    return _behind_nat(part, settings, wanted, maker, Network(id_, {}, feet, resources, (table.address,)), public)


def _behind_nat(
    part: Slice,
    settings: AwsSettings,
    wanted: NetworkWish,
    maker: Maker,
    outer: Network,
    public: Mapping[str, Resource],
) -> Network:
    """Private subnets for the nodes, and their ways out."""
    network = outer.resources[0]
    private = {zone: _subnet(maker, network, wanted, settings, zone, public=False) for zone in public}
    nats = _nats(part, settings, maker, public, outer.ways)
    more, by_zone = _ways_out(part, settings, maker, outer.id, nats)
    groups: dict[str, list[str]] = {}
    for zone in private:
        groups.setdefault(by_zone(zone), []).append(zone)
    tables = [
        _table(
            maker,
            f"{part.instance}-private{f'-{nat}' if settings.nat == 'each' else ''}",
            outer.id,
            _routes(nats.get(nat), more),
            [private[zone] for zone in zones],
        )
        for nat, zones in groups.items()
    ]
    made = tuple(resource for nat in nats.values() for resource in nat)
    outside = tuple(Call("concat", (Ref(address.address, "host"), "/32")) for address, _ in nats.values())
    inside = {zone: Ref(subnet.address, "id") for zone, subnet in private.items()}
    public_balancer = bool(settings.balancer.get("public", True))
    zone_ways = {zone: table.address for table, zones in zip(tables, groups.values(), strict=True) for zone in zones}
    return Network(
        outer.id,
        inside,
        outer.feet if public_balancer else {zone: inside[zone] for zone in outer.feet},
        (*outer.resources, *private.values(), *made, *more, *tables),
        outer.ways,
        zone_ways,
        outside if public_balancer else (),
    )


def _nats(
    part: Slice, settings: AwsSettings, maker: Maker, public: Mapping[str, Resource], ways: Sequence[Address]
) -> dict[str, tuple[Resource, Resource]]:
    """An address and a gateway by zone. A single one is in the zone of the first node, which keeps its zone."""
    if settings.nat == "none":
        return {}
    zones = list(public) if settings.nat == "each" else [zone_of((*_control(part), *part.nodes)[0])]
    made = {}
    for zone in zones:
        name = f"{part.instance}-nat-{zone}" if settings.nat == "each" else f"{part.instance}-nat"
        address = maker.resource("aws.elastic_ip", name, {})
        props = {"subnet": Ref(public[zone].address, "id"), "address": Ref(address.address, "id")}
        made[zone] = (address, maker.resource("aws.nat_gateway", name, props, *ways))
    return made


def _ways_out(
    part: Slice, settings: AwsSettings, maker: Maker, network: Value, nats: Mapping[str, Any]
) -> tuple[tuple[Resource, ...], Any]:
    """What else leads out, and which NAT gateway a zone uses."""
    only = next(iter(nats), "")
    more = (maker.resource("aws.egress_gateway", part.instance, {"network": network}),) if settings.ipv6 else ()
    return more, (lambda zone: zone) if settings.nat == "each" else (lambda zone: only)


def _routes(nat: tuple[Resource, Resource] | None, more: Sequence[Resource]) -> dict[str, Value]:
    routes: dict[str, Value] = {}
    if nat is not None:
        routes[EVERYWHERE] = Ref(nat[1].address, "id")
    for egress in more:
        routes[EVERYWHERE6] = Ref(egress.address, "id")
    return routes


def _table(
    maker: Maker, name: str, network: Value, routes: Mapping[str, Value], subnets: Iterable[Resource]
) -> Resource:
    ids = tuple(Ref(subnet.address, "id") for subnet in subnets)
    return maker.resource("aws.route_table", name, {"network": network, "routes": dict(routes), "subnets": ids})


def _subnet(
    maker: Maker, network: Resource, wanted: NetworkWish, settings: AwsSettings, zone: str, *, public: bool
) -> Resource:
    what = "public" if public else "private"
    number = _number(zone, public=public)
    props: dict[str, Value] = {
        "network": Ref(network.address, "id"),
        "cidr": _cidr(wanted, zone, what, number),
        "zone": zone,
        "public": public,
    }
    if settings.ipv6:
        props["ipv6_cidr"] = Call("aws.subnet6", (Ref(network.address, "ipv6_cidr"), number))
    return maker.resource("aws.subnet", f"{maker.instance}-{what}-{zone}", props)


def _number(zone: str, *, public: bool) -> int:
    """The place of a zone's subnet among the sixteen, by the letter it ends with."""
    place = _LETTERS.find(zone[-1:]) if zone else 0
    return max(place, 0) + (0 if public else len(_LETTERS))


def _cidr(wanted: NetworkWish, zone: str, what: str, number: int) -> str:
    named = wanted.subnets.get(zone)
    if isinstance(named, Mapping):
        named = named.get(what)
    if isinstance(named, str):
        return named
    if zone not in _LETTERS:
        raise wrong(
            f"network.subnets says no CIDR for the {what} subnet of zone {zone}; only letters a to h have one"
        )
    try:
        block = ipaddress.IPv4Network(wanted.cidr)
    except ValueError as err:
        raise wrong(f"network.cidr: {err}") from None
    if not 16 <= block.prefixlen <= 24:
        raise wrong(f"network.cidr is {wanted.cidr}; it is parted into sixteen subnets: use /16 to /24")
    return subnet4(wanted.cidr, _BITS, number)


def _control(part: Slice) -> tuple[Node, ...]:
    return tuple(node for node in part.nodes if node.role == "controlplane")
