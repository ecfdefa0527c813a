"""AWS as the conformance kit wants to see the back end of a provider: the test bed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import define, frozen
from beds.aws.bed import Bed

from provisioner.conformance.back_end import BackEnd, Fault
from provisioner.model.value import reveal

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
    "volume": Sort("ec2", "describe_volumes", "Volumes", "VolumeId", "CreateVolume", "DeleteVolume", "ModifyVolume"),
    "placement_group": Sort(
        "ec2",
        "describe_placement_groups",
        "PlacementGroups",
        "GroupId",
        "CreatePlacementGroup",
        "DeletePlacementGroup",
    ),
    "image": Sort("ec2", "describe_images", "Images", "ImageId", "ebs:StartSnapshot", "DeregisterImage"),
    "bucket": Sort("s3", "list_buckets", "Buckets", "Name", "CreateBucket", "DeleteBucket", "PutBucketTagging"),
    "dns_record": Sort(
        "route53",
        "list_resource_record_sets",
        "ResourceRecordSets",
        "Name",
        "ChangeResourceRecordSets",
        "ChangeResourceRecordSets",
        "ChangeResourceRecordSets",
    ),
    "iam_role": Sort("iam", "list_roles", "Roles", "RoleName", "CreateRole", "DeleteRole", "TagRole", "GetRole"),
    "instance_profile": Sort(
        "iam",
        "list_instance_profiles",
        "InstanceProfiles",
        "InstanceProfileName",
        "CreateInstanceProfile",
        "DeleteInstanceProfile",
        "TagInstanceProfile",
        "GetInstanceProfile",
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
        if self.kind == "dns_record":
            return frozenset(self._records())
        sort = SORTS[self.kind]
        return frozenset(thing[sort.id] for thing in self._listed() if _counts(self.kind, thing))

    def requests(self) -> int:
        return sum(1 for record in [*self.bed.records] if is_ours(record))

    def writes(self) -> int:
        """A block that is sent to a snapshot again changes nothing."""
        records = [record for record in [*self.bed.records] if is_ours(record) and not record.call.reads]
        done = [record.call for record in records if record.fault == "lost" or 0 < record.status < 400]
        blocks = [call.environ["PATH_INFO"] for call in done if call.action == "PutSnapshotBlock"]
        return len(done) - len(blocks) + len(set(blocks))

    def lose(self, id_: str) -> None:
        _Losses(self.client).lose(self.kind, id_)
        self.bed.settle()

    def fail(self, fault: Fault, kind: str, verb: str) -> bool:
        sort = SORTS[kind.partition(".")[2]]
        reads = sort.read or "".join(word.capitalize() for word in sort.lists.split("_"))
        action = {"create": sort.create, "update": sort.update, "delete": sort.delete, "read": reads}[verb]
        self.bed.faults.script(fault, action if ":" in action else f"{sort.service}:{action}")
        return True

    @contextmanager
    def silence(self) -> Iterator[None]:
        self.bed.silent = True
        yield
        self.bed.silent = False

    def shown(self) -> str:
        return json.dumps(self._listed(), default=str)

    def by_hand(self, kind: str, props: Mapping[str, Any]) -> str:
        return str(getattr(_ByHand(self.client), kind.partition(".")[2])(reveal(dict(props))))

    def _listed(self) -> list[Mapping[str, Any]]:
        if self.kind == "listener":
            return list(self._listeners())
        if self.kind == "dns_record":
            return [{"Name": name} for name in self._records()]
        sort = SORTS[self.kind]
        more = {"Owners": ["self"]} if self.kind == "image" else {}
        listed = getattr(self.client(sort.service), sort.lists)(**more).get(sort.result, ())
        return [thing for one in listed for thing in one.get("Instances", (one,))]

    def _listeners(self) -> Iterator[Mapping[str, Any]]:
        elbv2 = self.client("elbv2")
        for balancer in elbv2.describe_load_balancers()["LoadBalancers"]:
            yield from elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]

    def _records(self) -> Iterator[str]:
        """The records somebody made, but for those that say whose others are."""
        route53 = self.client("route53")
        for zone in route53.list_hosted_zones()["HostedZones"]:
            for one in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
                if one["Type"] not in ("NS", "SOA") and not one["Name"].startswith("_prov"):
                    yield f"{zone['Id'].rpartition('/')[2]}/{one['Name'].rstrip('.')}/{one['Type']}"


def is_ours(record: Any) -> bool:
    """Whether a call came from the provider."""
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
class _ByHand:
    """How somebody else makes objects."""

    client: Callable[[str], Any]

    def elastic_ip(self, props: Any) -> str:
        tags = [{"ResourceType": "elastic-ip", "Tags": [{"Key": "Name", "Value": props["name"]}]}]
        return str(self.client("ec2").allocate_address(Domain="vpc", TagSpecifications=tags)["AllocationId"])

    def security_group_rule(self, props: Any) -> str:
        port = int(props["ports"].partition("/")[2])
        opened = self.client("ec2").authorize_security_group_ingress(
            GroupId=props["group"],
            IpPermissions=[
                {
                    "IpProtocol": "tcp",
                    "FromPort": port,
                    "ToPort": port,
                    "IpRanges": [{"CidrIp": props["source"], "Description": props["about"]}],
                }
            ],
            TagSpecifications=[
                {"ResourceType": "security-group-rule", "Tags": [{"Key": "Name", "Value": props["name"]}]}
            ],
        )
        return str(opened["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    def bucket(self, props: Any) -> str:
        place = {"LocationConstraint": "eu-west-1"}
        self.client("s3").create_bucket(Bucket=props["name"], CreateBucketConfiguration=place)
        return str(props["name"])

    def dns_record(self, props: Any) -> str:
        record: dict[str, Any] = {"Name": props["name"], "Type": props["type"]}
        if props["host"]:
            target = {"HostedZoneId": props["host_zone"], "DNSName": props["host"], "EvaluateTargetHealth": False}
            record["AliasTarget"] = target
        else:
            record |= {"TTL": props["ttl"], "ResourceRecords": [{"Value": value} for value in props["values"]]}
        change = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
        self.client("route53").change_resource_record_sets(HostedZoneId=props["zone"], ChangeBatch=change)
        return f"{props['zone']}/{props['name']}/{props['type']}"

    def iam_role(self, props: Any) -> str:
        iam, name = self.client("iam"), props["name"]
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(props["trust"]))
        for policy, text in props["policies"].items():
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(text))
        return str(name)

    def instance_profile(self, props: Any) -> str:
        iam, name = self.client("iam"), props["name"]
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=props["role"])
        return str(name)


@frozen
class _Losses:
    """How objects get lost: somebody else removes them."""

    client: Callable[[str], Any]

    @property
    def ec2(self) -> Any:
        return self.client("ec2")

    @property
    def elbv2(self) -> Any:
        return self.client("elbv2")

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

    def volume(self, id_: str) -> None:
        self.ec2.delete_volume(VolumeId=id_)

    def placement_group(self, id_: str) -> None:
        found = self.ec2.describe_placement_groups(GroupIds=[id_])["PlacementGroups"][0]
        self.ec2.delete_placement_group(GroupName=found["GroupName"])

    def image(self, id_: str) -> None:
        self.ec2.deregister_image(ImageId=id_)

    def bucket(self, id_: str) -> None:
        self.client("s3").delete_bucket(Bucket=id_)

    def iam_role(self, id_: str) -> None:
        iam = self.client("iam")
        for name in iam.list_role_policies(RoleName=id_)["PolicyNames"]:
            iam.delete_role_policy(RoleName=id_, PolicyName=name)
        for one in iam.list_attached_role_policies(RoleName=id_)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=id_, PolicyArn=one["PolicyArn"])
        iam.delete_role(RoleName=id_)

    def instance_profile(self, id_: str) -> None:
        iam = self.client("iam")
        for role in iam.get_instance_profile(InstanceProfileName=id_)["InstanceProfile"]["Roles"]:
            iam.remove_role_from_instance_profile(InstanceProfileName=id_, RoleName=role["RoleName"])
        iam.delete_instance_profile(InstanceProfileName=id_)

    def dns_record(self, id_: str) -> None:
        zone, name, type_ = id_.split("/")
        route53 = self.client("route53")
        listed = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        change = [
            {"Action": "DELETE", "ResourceRecordSet": one}
            for one in listed
            if one["Name"].rstrip(".") == name and one["Type"] == type_
        ]
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": change})
