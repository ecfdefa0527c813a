"""AWS as the conformance kit wants to see the back end of a provider: the test bed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import define, frozen
from beds.aws.bed import Bed

from provisioner.conformance.back_end import BackEnd, Fault

AGENT = "prov"
"""How our calls are told from those of the tests."""


_CLIENTS: dict[tuple[str, str], Any] = {}


@frozen
class Sort:
    """How one kind shows at AWS: its listing, the calls of its verbs, and how one of it is lost."""

    service: str
    lists: str
    result: str
    id: str
    create: str
    delete: str
    update: str = "CreateTags"
    read: str = ""


SORTS: Mapping[str, Sort] = {
    "network": Sort("ec2", "describe_vpcs", "Vpcs", "VpcId", "CreateVpc", "DeleteVpc"),
    "subnet": Sort("ec2", "describe_subnets", "Subnets", "SubnetId", "CreateSubnet", "DeleteSubnet"),
    "gateway": Sort(
        "ec2",
        "describe_internet_gateways",
        "InternetGateways",
        "InternetGatewayId",
        "CreateInternetGateway",
        "DeleteInternetGateway",
    ),
    "egress_gateway": Sort(
        "ec2",
        "describe_egress_only_internet_gateways",
        "EgressOnlyInternetGateways",
        "EgressOnlyInternetGatewayId",
        "CreateEgressOnlyInternetGateway",
        "DeleteEgressOnlyInternetGateway",
    ),
    "elastic_ip": Sort("ec2", "describe_addresses", "Addresses", "AllocationId", "AllocateAddress", "ReleaseAddress"),
    "nat_gateway": Sort(
        "ec2", "describe_nat_gateways", "NatGateways", "NatGatewayId", "CreateNatGateway", "DeleteNatGateway"
    ),
    "route_table": Sort(
        "ec2", "describe_route_tables", "RouteTables", "RouteTableId", "CreateRouteTable", "DeleteRouteTable"
    ),
    "security_group": Sort(
        "ec2",
        "describe_security_groups",
        "SecurityGroups",
        "GroupId",
        "CreateSecurityGroup",
        "DeleteSecurityGroup",
    ),
    "security_group_rule": Sort(
        "ec2",
        "describe_security_group_rules",
        "SecurityGroupRules",
        "SecurityGroupRuleId",
        "AuthorizeSecurityGroupIngress",
        "RevokeSecurityGroupIngress",
    ),
    "balancer": Sort(
        "elbv2",
        "describe_load_balancers",
        "LoadBalancers",
        "LoadBalancerArn",
        "CreateLoadBalancer",
        "DeleteLoadBalancer",
        "AddTags",
    ),
    "target_group": Sort(
        "elbv2",
        "describe_target_groups",
        "TargetGroups",
        "TargetGroupArn",
        "CreateTargetGroup",
        "DeleteTargetGroup",
        "AddTags",
    ),
    "listener": Sort(
        "elbv2", "describe_listeners", "Listeners", "ListenerArn", "CreateListener", "DeleteListener", "AddTags"
    ),
    "machine": Sort(
        "ec2",
        "describe_instances",
        "Reservations",
        "InstanceId",
        "RunInstances",
        "TerminateInstances",
        "StopInstances",
    ),
}


@define
class AwsRemote(BackEnd):
    """The bed. `kind` is the one that a test is about, such as `subnet`: only of it is told what exists."""

    bed: Bed
    kind: str = ""

    def client(self, service: str) -> Any:
        """A client of the tests' own."""
        if (service, self.bed.url) not in _CLIENTS:
            _CLIENTS[service, self.bed.url] = self.bed.client(service)
        return _CLIENTS[service, self.bed.url]

    def existing(self) -> frozenset[str]:
        sort = SORTS[self.kind]
        return frozenset(thing[sort.id] for thing in self._listed() if _counts(self.kind, thing))

    def requests(self) -> int:
        return sum(1 for record in [*self.bed.records] if _ours(record))

    def writes(self) -> int:
        records = [record for record in [*self.bed.records] if _ours(record) and not record.call.reads]
        return sum(1 for record in records if record.fault == "lost" or 0 < record.status < 400)

    def lose(self, id_: str) -> None:
        _Losses(self.client("ec2"), self.client("elbv2")).lose(self.kind, id_)
        self.bed.settle()

    def fail(self, fault: Fault, kind: str, verb: str) -> bool:
        sort = SORTS[kind.partition(".")[2]]
        reads = "".join(word.capitalize() for word in sort.lists.split("_"))
        action = {"create": sort.create, "update": sort.update, "delete": sort.delete, "read": reads}[verb]
        self.bed.faults.script(fault, f"{sort.service}:{action}")
        return True

    @contextmanager
    def silence(self) -> Iterator[None]:
        self.bed.silent = True
        yield
        self.bed.silent = False

    def shown(self) -> str:
        return json.dumps(self._listed(), default=str)

    def _listed(self) -> list[Mapping[str, Any]]:
        if self.kind == "listener":
            return list(self._listeners())
        sort = SORTS[self.kind]
        listed = getattr(self.client(sort.service), sort.lists)().get(sort.result, ())
        return [thing for one in listed for thing in one.get("Instances", (one,))]

    def _listeners(self) -> Iterator[Mapping[str, Any]]:
        elbv2 = self.client("elbv2")
        for balancer in elbv2.describe_load_balancers()["LoadBalancers"]:
            yield from elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]


def _ours(record: Any) -> bool:
    return AGENT in str(record.call.environ.get("HTTP_USER_AGENT", "")).split()


def _counts(kind: str, thing: Mapping[str, Any]) -> bool:
    """Whether an object of a listing is one that somebody made, and is there."""
    match kind:
        case "nat_gateway":
            return thing["State"] not in ("deleted", "deleting")
        case "machine":
            return thing["State"]["Name"] not in ("terminated", "shutting-down")
        case "security_group_rule":
            return bool(thing.get("Tags"))
    return True


@frozen
class _Losses:
    """How objects get lost: somebody else removes them."""

    ec2: Any
    elbv2: Any

    def lose(self, kind: str, id_: str) -> None:
        getattr(self, kind)(id_)

    def network(self, id_: str) -> None:
        self.ec2.delete_vpc(VpcId=id_)

    def subnet(self, id_: str) -> None:
        self.ec2.delete_subnet(SubnetId=id_)

    def gateway(self, id_: str) -> None:
        found = self.ec2.describe_internet_gateways(InternetGatewayIds=[id_])["InternetGateways"][0]
        for one in found["Attachments"]:
            self.ec2.detach_internet_gateway(InternetGatewayId=id_, VpcId=one["VpcId"])
        self.ec2.delete_internet_gateway(InternetGatewayId=id_)

    def egress_gateway(self, id_: str) -> None:
        self.ec2.delete_egress_only_internet_gateway(EgressOnlyInternetGatewayId=id_)

    def elastic_ip(self, id_: str) -> None:
        self.ec2.release_address(AllocationId=id_)

    def nat_gateway(self, id_: str) -> None:
        self.ec2.delete_nat_gateway(NatGatewayId=id_)

    def route_table(self, id_: str) -> None:
        for one in self.ec2.describe_route_tables(RouteTableIds=[id_])["RouteTables"][0]["Associations"]:
            self.ec2.disassociate_route_table(AssociationId=one["RouteTableAssociationId"])
        self.ec2.delete_route_table(RouteTableId=id_)

    def security_group(self, id_: str) -> None:
        self.ec2.delete_security_group(GroupId=id_)

    def security_group_rule(self, id_: str) -> None:
        found = self.ec2.describe_security_group_rules(SecurityGroupRuleIds=[id_])["SecurityGroupRules"][0]
        self.ec2.revoke_security_group_ingress(GroupId=found["GroupId"], SecurityGroupRuleIds=[id_])

    def balancer(self, id_: str) -> None:
        self.elbv2.delete_load_balancer(LoadBalancerArn=id_)

    def target_group(self, id_: str) -> None:
        self.elbv2.delete_target_group(TargetGroupArn=id_)

    def listener(self, id_: str) -> None:
        self.elbv2.delete_listener(ListenerArn=id_)

    def machine(self, id_: str) -> None:
        self.ec2.terminate_instances(InstanceIds=[id_])
