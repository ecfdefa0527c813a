"""`aws.route_table`: where packets of some subnets go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from attrs import field, frozen

from prov_aws.client import Aws
from prov_aws.errors import Taken
from prov_aws.jobs import asked
from prov_aws.kinds.tagged import Tagged, in_order
from prov_aws.made import Family, Thing, as_filters
from prov_aws.marks import LINEAGE, tags_of
from provisioner.sdk import FieldChange, Job, Value, output, prop


@frozen(kw_only=True)
class RouteTableProps:
    """Routes by destination CIDR, each to the id of a gateway; and the subnets that use them."""

    name: str = prop()
    network: str = prop(immutable=True)
    routes: Mapping[str, str] = field(factory=dict)
    subnets: tuple[str, ...] = prop(default=(), same_as=in_order)
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class RouteTableOutputs:
    """The `id`."""

    id: str = output()


_TARGETS = {
    "igw-": "GatewayId",
    "nat-": "NatGatewayId",
    "eigw-": "EgressOnlyInternetGatewayId",
    "pcx-": "VpcPeeringConnectionId",
    "tgw-": "TransitGatewayId",
    "eni-": "NetworkInterfaceId",
    "vgw-": "GatewayId",
}
_OF_AWS = "EnableVgwRoutePropagation"
"""The origin of routes that a gateway of a private line puts there."""
_FIELDS = tuple(dict.fromkeys(_TARGETS.values()))


class _Unseen(Exception):
    """What a subnet uses does not show in listings yet."""


class RouteTableKind(Tagged):
    """Route tables with their routes and subnets. Routes that AWS makes by itself are left alone."""

    props: ClassVar[type[Any]] = RouteTableProps
    outputs: ClassVar[type[Any]] = RouteTableOutputs
    grave = frozenset({"routes", "subnets"})
    family = Family(
        "route table", "route-table", "describe_route_tables", "RouteTables", "RouteTableId", "route-table-id"
    )

    def make(self, aws: Aws, job: Job[Any, Any]) -> Thing:
        made = aws.call("ec2", "create_route_table", VpcId=asked(job).network, TagSpecifications=self.born_with(job))
        thing: Thing = made["RouteTable"]
        return thing

    def shape(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        self.name_and_tag(aws, job, thing)
        self._route(aws, thing, asked(job).routes)
        return self._associate(aws, job, thing)

    def unmake(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        for association in _associations(thing).values():
            aws.call("ec2", "disassociate_route_table", AssociationId=association)
        aws.call("ec2", "delete_route_table", RouteTableId=thing["RouteTableId"])
        return ""

    def read_props(self, aws: Aws, job: Job[Any, Any], thing: Thing, more: Any) -> dict[str, Value]:
        return {"network": thing["VpcId"], "routes": _routes(thing), "subnets": tuple(sorted(_associations(thing)))}

    def consequence(self, changes: Sequence[FieldChange]) -> str:
        paths = {change.path[0] for change in changes}
        return "changes the way of packets" if paths & {"routes", "subnets"} else ""

    def _route(self, aws: Aws, thing: Thing, wanted: Mapping[str, str]) -> None:
        there, table = _routes(thing), thing["RouteTableId"]
        for cidr, target in wanted.items():
            if there.get(cidr) != target:
                self._lead(
                    aws, {"RouteTableId": table, **_destination(cidr), **_target(target)}, new=cidr not in there
                )
        for cidr in there.keys() - wanted.keys():
            aws.call("ec2", "delete_route", RouteTableId=table, **_destination(cidr))

    def _lead(self, aws: Aws, route: Mapping[str, str], *, new: bool) -> None:
        """Makes a route, or changes it where there is one, be it by a call whose answer was lost."""
        try:
            if new:
                aws.call("ec2", "create_route", **route)
                return
        except Taken:
            pass
        aws.call("ec2", "replace_route", **route)

    def _associate(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        there, table = _associations(thing), thing["RouteTableId"]
        for subnet in asked(job).subnets:
            if subnet not in there:
                try:
                    self._take(aws, job, subnet, table)
                except _Unseen:
                    return "a subnet has a table, and does not show which one yet"
        for subnet in there.keys() - set(asked(job).subnets):
            aws.call("ec2", "disassociate_route_table", AssociationId=there[subnet])
        return ""

    def _take(self, aws: Aws, job: Job[Any, Any], subnet: str, table: str) -> None:
        """Gives a subnet this table, also where another one of ours has it, which is about to lose it."""
        held = next(iter(aws.pages("ec2", "describe_route_tables", "RouteTables", Filters=_of_subnet(subnet))), None)
        if held is None:
            try:
                aws.call("ec2", "associate_route_table", RouteTableId=table, SubnetId=subnet)
            except Taken:
                raise _Unseen from None
        elif tags_of(held).get(LINEAGE) == job.lineage:
            association = _associations(held)[subnet]
            aws.call("ec2", "replace_route_table_association", AssociationId=association, RouteTableId=table)
        else:
            raise Taken(
                "the subnet has a route table of somebody else",
                detail=f"{subnet} uses {held['RouteTableId']}",
                remedy="take the subnet out of that table, or out of this one",
            )


def _of_subnet(subnet: str) -> Any:
    return as_filters({"association.subnet-id": [subnet]})


def _routes(thing: Thing) -> dict[str, str]:
    """Target by destination, of the routes that somebody made."""
    return dict(_made_routes(thing))


def _made_routes(thing: Thing) -> Iterator[tuple[str, str]]:
    for route in thing.get("Routes") or ():
        target = next((route[name] for name in _FIELDS if route.get(name)), "")
        cidr = route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock")
        if cidr and target and target != "local" and route.get("Origin") != _OF_AWS:
            yield cidr, target


def _associations(thing: Thing) -> dict[str, str]:
    """Association by subnet."""
    listed = thing.get("Associations") or ()
    return {one["SubnetId"]: one["RouteTableAssociationId"] for one in listed if one.get("SubnetId")}


def _destination(cidr: str) -> dict[str, str]:
    return {"DestinationIpv6CidrBlock" if ":" in cidr else "DestinationCidrBlock": cidr}


def _target(id_: str) -> dict[str, str]:
    name = next((name for beginning, name in _TARGETS.items() if id_.startswith(beginning)), "GatewayId")
    return {name: id_}
