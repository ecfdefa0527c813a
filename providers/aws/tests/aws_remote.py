"""AWS as the conformance kit wants to see the back end of a provider: moto, and what happens on the way to it.

Faults happen in the connections of the clients: a request is refused, gets no answer, or has its effect and loses the
answer.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import botocore.session
from attrs import define, field
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from prov_aws.client import Aws

from provisioner.conformance.back_end import BackEnd, Fault

READING = ("Describe", "Get", "List", "Head", "Assume")
_CODES: Mapping[str, Mapping[str, tuple[int, str]]] = {
    "ec2": {
        "throttled": (503, "RequestLimitExceeded"),
        "denied": (403, "UnauthorizedOperation"),
        "quota": (400, "VpcLimitExceeded"),
        "conflict": (400, "IncorrectState"),
    },
    "other": {
        "throttled": (400, "Throttling"),
        "denied": (403, "AccessDenied"),
        "quota": (400, "TooManyLoadBalancers"),
        "conflict": (400, "OperationInProgress"),
    },
}
_LISTS: Mapping[str, tuple[str, str, str, str]] = {
    "network": ("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    "subnet": ("ec2", "describe_subnets", "Subnets", "SubnetId"),
    "gateway": ("ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    "egress_gateway": (
        "ec2",
        "describe_egress_only_internet_gateways",
        "EgressOnlyInternetGateways",
        "EgressOnlyInternetGatewayId",
    ),
    "elastic_ip": ("ec2", "describe_addresses", "Addresses", "AllocationId"),
    "nat_gateway": ("ec2", "describe_nat_gateways", "NatGateways", "NatGatewayId"),
    "route_table": ("ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    "security_group": ("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    "security_group_rule": (
        "ec2",
        "describe_security_group_rules",
        "SecurityGroupRules",
        "SecurityGroupRuleId",
    ),
    "placement_group": ("ec2", "describe_placement_groups", "PlacementGroups", "GroupId"),
    "balancer": ("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
    "target_group": ("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn"),
    "machine": ("ec2", "describe_instances", "Reservations", "InstanceId"),
    "bucket": ("s3", "list_buckets", "Buckets", "Name"),
    "iam_role": ("iam", "list_roles", "Roles", "RoleName"),
    "instance_profile": ("iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
    "image": ("ec2", "describe_images", "Images", "ImageId"),
}


def client(url: str, service: str) -> Any:
    """A plain client, which nothing happens to."""
    session = botocore.session.Session()
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    return session.create_client(
        service,
        region_name="eu-west-1",
        endpoint_url=url,
        config=config,
        aws_access_key_id="tester",
        aws_secret_access_key="tester",
    )


@define
class Line:
    """What happens between clients and AWS. Shared by all clients of a test, on whatever threads."""

    requests: int = 0
    writes: int = 0
    silent: bool = False
    calls: list[str] = field(factory=list)
    """Each call made, such as `ec2:CreateVpc`."""
    _armed: tuple[Fault, Callable[[str], bool]] | None = None
    _guard: threading.Lock = field(factory=threading.Lock)

    def arm(self, fault: Fault, fits: Callable[[str], bool]) -> None:
        """Lets the next operation that fits meet a fault."""
        self._armed = (fault, fits)

    def watch(self, client: Any) -> Any:
        """A client whose requests are counted and troubled."""
        service = client.meta.service_model.service_name

        def sending(request: Any, event_name: str, **_: Any) -> Any:
            return self._sending(client, service, event_name.rpartition(".")[2], request)

        def answered(http_response: Any, model: Any, **_: Any) -> None:
            if http_response.status_code < 400 and not model.name.startswith(READING):
                with self._guard:
                    self.writes += 1

        client.meta.events.register("before-send", sending)
        client.meta.events.register("after-call", answered)
        return client

    def _sending(self, client: Any, service: str, operation: str, request: Any) -> Any:
        with self._guard:
            self.requests += 1
            self.calls.append(f"{service}:{operation}")
            fault = self._due(operation)
        if self.silent or fault == "timeout":
            raise ReadTimeoutError(endpoint_url=request.url)
        if fault == "lost":
            status = client._endpoint.http_session.send(request).status_code
            with self._guard:
                self.writes += status < 400 and not operation.startswith(READING)
            raise ReadTimeoutError(endpoint_url=request.url)
        return None if fault is None else _refusal(service, fault, request.url)

    def _due(self, operation: str) -> Fault | None:
        if self._armed is None or not self._armed[1](operation):
            return None
        (fault, _), self._armed = self._armed, None
        return fault


@define
class WatchedAws(Aws):
    """A connection whose requests go through a line."""

    line: Line = field(kw_only=True)

    def _connected(self, service: str) -> Any:
        return self.line.watch(super()._connected(service))


@define
class AwsRemote(BackEnd):
    """moto at `url`; `kind` is the one that a test is about, such as `subnet`: only of it is told what exists."""

    url: str
    kind: str = ""
    line: Line = field(factory=Line)
    _plain: dict[str, Any] = field(factory=dict)

    def plain(self, service: str) -> Any:
        if service not in self._plain:
            self._plain[service] = client(self.url, service)
        return self._plain[service]

    def existing(self) -> frozenset[str]:
        if self.kind == "listener":
            return frozenset(one["ListenerArn"] for one in self._listeners())
        if self.kind == "dns_record":
            return self._records()
        service, operation, result, id_ = _LISTS[self.kind]
        listed = getattr(self.plain(service), operation)().get(result, ())
        things = [thing for one in listed for thing in one.get("Instances", (one,))]
        return frozenset(thing[id_] for thing in things if _counts(self.kind, thing))

    def requests(self) -> int:
        return self.line.requests

    def writes(self) -> int:
        return self.line.writes

    def lose(self, id_: str) -> None:
        LOSSES[self.kind](self.plain, id_)

    def fail(self, fault: Fault, kind: str, verb: str) -> bool:
        writes = verb != "read"
        self.line.arm(fault, lambda operation: operation.startswith(READING) != writes)
        return True

    @contextmanager
    def silence(self) -> Iterator[None]:
        self.line.silent = True
        yield
        self.line.silent = False

    def shown(self) -> str:
        service, operation, result, _ = _LISTS[self.kind] if self.kind in _LISTS else _LISTS["machine"]
        return json.dumps(getattr(self.plain(service), operation)().get(result, ()), default=str)

    def _listeners(self) -> Iterator[Mapping[str, Any]]:
        for balancer in self.plain("elbv2").describe_load_balancers()["LoadBalancers"]:
            arn = balancer["LoadBalancerArn"]
            yield from self.plain("elbv2").describe_listeners(LoadBalancerArn=arn)["Listeners"]

    def _records(self) -> frozenset[str]:
        route53 = self.plain("route53")
        zones = [zone["Id"] for zone in route53.list_hosted_zones()["HostedZones"]]
        found = [
            f"{zone.rpartition('/')[2]}/{one['Name'].rstrip('.')}/{one['Type']}"
            for zone in zones
            for one in route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        ]
        return frozenset(one for one in found if not one.endswith(("/NS", "/SOA")) and "/_prov" not in one)


def _counts(kind: str, thing: Mapping[str, Any]) -> bool:
    """Whether an object of a listing is one that somebody made, and is there."""
    match kind:
        case "nat_gateway":
            return thing["State"] not in ("deleted", "deleting")
        case "machine":
            return thing["State"]["Name"] not in ("terminated", "shutting-down")
        case "security_group_rule":
            return bool(thing.get("Tags"))
        case "image":
            return thing.get("OwnerId") == "123456789012"
    return True


def _refusal(service: str, fault: Fault, url: str) -> AWSResponse:
    status, code = _CODES["ec2" if service == "ec2" else "other"][fault]
    error = f"<Error><Code>{code}</Code><Message>it was made to fail</Message></Error>"
    match service:
        case "ec2":
            body = f"<Response><Errors>{error}</Errors><RequestID>0</RequestID></Response>"
        case "s3":
            body = error
        case _:
            body = f"<ErrorResponse>{error}<RequestId>0</RequestId></ErrorResponse>"
    return AWSResponse(url, status, {"content-type": "text/xml", "x-amzn-errortype": code}, _Raw(body.encode()))


class _Raw:
    """What is left of a body to read."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._data


Loss = Callable[[Callable[[str], Any], str], Any]


def _lose_network(plain: Callable[[str], Any], id_: str) -> None:
    ec2 = plain("ec2")
    for subnet in ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [id_]}])["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    ec2.delete_vpc(VpcId=id_)


def _lose_gateway(plain: Callable[[str], Any], id_: str) -> None:
    ec2 = plain("ec2")
    for one in ec2.describe_internet_gateways(InternetGatewayIds=[id_])["InternetGateways"][0]["Attachments"]:
        ec2.detach_internet_gateway(InternetGatewayId=id_, VpcId=one["VpcId"])
    ec2.delete_internet_gateway(InternetGatewayId=id_)


def _lose_table(plain: Callable[[str], Any], id_: str) -> None:
    ec2 = plain("ec2")
    for one in ec2.describe_route_tables(RouteTableIds=[id_])["RouteTables"][0]["Associations"]:
        ec2.disassociate_route_table(AssociationId=one["RouteTableAssociationId"])
    ec2.delete_route_table(RouteTableId=id_)


def _lose_rule(plain: Callable[[str], Any], id_: str) -> None:
    ec2 = plain("ec2")
    filters = [{"Name": "security-group-rule-id", "Values": [id_]}]
    group = ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"][0]["GroupId"]
    ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[id_])


LOSSES: Mapping[str, Loss] = {
    "network": _lose_network,
    "subnet": lambda plain, id_: plain("ec2").delete_subnet(SubnetId=id_),
    "gateway": _lose_gateway,
    "egress_gateway": lambda plain, id_: plain("ec2").delete_egress_only_internet_gateway(
        EgressOnlyInternetGatewayId=id_
    ),
    "elastic_ip": lambda plain, id_: plain("ec2").release_address(AllocationId=id_),
    "nat_gateway": lambda plain, id_: plain("ec2").delete_nat_gateway(NatGatewayId=id_),
    "route_table": _lose_table,
    "security_group": lambda plain, id_: plain("ec2").delete_security_group(GroupId=id_),
    "security_group_rule": _lose_rule,
    "balancer": lambda plain, id_: plain("elbv2").delete_load_balancer(LoadBalancerArn=id_),
    "target_group": lambda plain, id_: plain("elbv2").delete_target_group(TargetGroupArn=id_),
    "listener": lambda plain, id_: plain("elbv2").delete_listener(ListenerArn=id_),
    "machine": lambda plain, id_: plain("ec2").terminate_instances(InstanceIds=[id_]),
}
