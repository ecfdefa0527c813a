"""What cannot be deleted yet, because something else uses it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from beds.aws.rules import Refusal, after, before

if TYPE_CHECKING:
    from beds.aws.bed import Bed
    from beds.aws.calls import Call


@before("ec2:DeleteSecurityGroup")
def _group_is_unused(bed: Bed, call: Call) -> None:
    id_ = call.params.get("GroupId", "")
    if any(id_ in groups for _, groups in _interfaces(bed, call)) or id_ in _groups_named_by_others(bed, call, id_):
        raise Refusal("DependencyViolation", f"resource {id_} has a dependent object")


@before("ec2:DeleteSubnet")
def _subnet_is_empty(bed: Bed, call: Call) -> None:
    id_ = call.params["SubnetId"]
    if any(id_ == subnet for subnet, _ in _interfaces(bed, call)):
        raise Refusal("DependencyViolation", f"The subnet '{id_}' has dependencies and cannot be deleted.")


@after("ec2:DeleteSubnet")
def _its_association_goes_with_it(bed: Bed, call: Call, result: dict[str, Any]) -> None:
    """moto leaves the association of a route table with a subnet that is gone."""
    for table in bed.ec2(call).route_tables.values():
        gone = [id_ for id_, subnet in table._associations.items() if subnet == call.params["SubnetId"]]
        for id_ in gone:
            del table._associations[id_]


@before("ec2:DeleteVpc")
def _network_is_empty(bed: Bed, call: Call) -> None:
    id_, ec2 = call.params["VpcId"], bed.ec2(call)
    gateways = [gateway for gateway in ec2.internet_gateways.values() if gateway.vpc and gateway.vpc.id == id_]
    groups = [group for group in ec2.groups.get(id_, {}).values() if group.name != "default"]
    if gateways or groups or any(gateway.vpc_id == id_ for gateway in _nat_gateways(bed, call)):
        raise Refusal("DependencyViolation", f"The vpc '{id_}' has dependencies and cannot be deleted.")


@before("ec2:DetachInternetGateway")
def _nothing_public_is_left(bed: Bed, call: Call) -> None:
    id_, ec2 = call.params["VpcId"], bed.ec2(call)
    inside = {subnet.id for zone in ec2.subnets.values() for subnet in zone.values() if subnet.vpc_id == id_}
    public = [eni for eni in ec2.enis.values() if eni.subnet.id in inside and eni.public_ip]
    balancers = [subnet for subnet, _ in _balancers(bed, call) if subnet in inside]
    if public or balancers or any(gateway.vpc_id == id_ for gateway in _nat_gateways(bed, call)):
        raise Refusal(
            "DependencyViolation",
            f"Network {id_} has some mapped public address(es). Please unmap those public address(es) before "
            "detaching the gateway.",
        )


@before("ec2:DeleteRouteTable")
def _table_is_not_the_main_one(bed: Bed, call: Call) -> None:
    table = bed.ec2(call).route_tables.get(call.params["RouteTableId"])
    if table is not None and table.main_association_id:
        raise Refusal("DependencyViolation", f"The routeTable '{table.id}' has dependencies and cannot be deleted.")


@before("ec2:ReleaseAddress")
def _address_is_free(bed: Bed, call: Call) -> None:
    for address in bed.ec2(call).addresses:
        mapped = address.allocation_id in _mapped(bed, call) or address.eni or address.instance
        if address.allocation_id == call.params.get("AllocationId") and mapped:
            raise Refusal("InvalidIPAddress.InUse", f"Address {address.public_ip} is in use.")


@before("ec2:DeleteNetworkInterface")
def _interface_is_detached(bed: Bed, call: Call) -> None:
    interface = bed.ec2(call).enis.get(call.params["NetworkInterfaceId"])
    if interface is not None and interface.instance is not None:
        raise Refusal("InvalidParameterValue", f"Network interface '{interface.id}' is currently in use.")


@after("elbv2:CreateLoadBalancer")
def _balancer_takes_addresses(bed: Bed, call: Call, result: dict[str, Any]) -> None:
    arn = result["LoadBalancers"][0]["LoadBalancerArn"]
    mappings = call.params.get("SubnetMappings", [])
    bed.mapped[arn] = {one["AllocationId"] for one in mappings if one.get("AllocationId")}


@before("elbv2:DeleteLoadBalancer")
def _its_interfaces_linger(bed: Bed, call: Call) -> None:
    """A balancer that is deleted keeps its subnets, groups and addresses busy for a while."""
    arn = call.params["LoadBalancerArn"]
    balancer = bed.elbv2(call).load_balancers.get(arn)
    if balancer is None:
        return
    bed.holds.forget(arn)
    bed.lingering[arn] = balancer

    def gone() -> None:
        bed.lingering.pop(arn, None)
        bed.mapped.pop(arn, None)

    bed.holds.begin(f"lingering {arn}", call, "elbv2:DescribeLoadBalancers", bed.linger, gone)


def _interfaces(bed: Bed, call: Call) -> Iterator[tuple[str, set[str]]]:
    """All that takes an address in a subnet: the subnet, and the security groups of the interface."""
    ec2 = bed.ec2(call)
    for interface in ec2.enis.values():
        yield interface.subnet.id, {group.id for group in interface.group_set}
    for instance in ec2.all_instances():
        if instance.state != "terminated":
            yield str(instance.subnet_id), {group.id for group in instance.security_groups}
    yield from _balancers(bed, call)
    for gateway in _nat_gateways(bed, call):
        yield gateway.subnet_id, set()


def _balancers(bed: Bed, call: Call) -> Iterator[tuple[str, set[str]]]:
    for balancer in (*bed.elbv2(call).load_balancers.values(), *bed.lingering.values()):
        for subnet in balancer.subnets:
            yield subnet.id, {*(balancer.security_groups or ())}


def _nat_gateways(bed: Bed, call: Call) -> list[Any]:
    return [gateway for gateway in bed.ec2(call).nat_gateways.values() if gateway.state != "deleted"]


def _mapped(bed: Bed, call: Call) -> set[str]:
    return {allocation for allocations in bed.mapped.values() for allocation in allocations}


def _groups_named_by_others(bed: Bed, call: Call, id_: str) -> set[str]:
    named: set[str] = set()
    for groups in bed.ec2(call).groups.values():
        for group in groups.values():
            rules = [*group.ingress_rules, *group.egress_rules] if group.id != id_ else []
            named |= {rule.source_group["GroupId"] for rule in rules if "GroupId" in rule.source_group}
    return named
