"""Everything there is in one region of an account, by boto3 alone: no code of prov, and no belief in its marks.

    python tests/beds/aws/inventory.py REGION [ENDPOINT]

Prints JSON: for each sort of object the ids, each with its name. What every account has from the beginning (the
default network and what is in it) is left out, and so is what is gone and only remembered for a while.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import boto3

Found = dict[str, dict[str, str]]


def inventory(ec2: Any, elbv2: Any) -> Found:
    """What is there, by sort and id; the value is its name, or its address as it was marked."""
    vpcs = {one["VpcId"]: one for one in _all(ec2, "describe_vpcs", "Vpcs") if not one["IsDefault"]}
    ours: Callable[[dict[str, Any]], bool] = lambda one: one.get("VpcId") in vpcs  # noqa: E731
    found: Found = {
        "networks": {id_: _name(one) for id_, one in vpcs.items()},
        "subnets": _ids(ec2, "describe_subnets", "Subnets", "SubnetId", ours),
        "groups": _ids(
            ec2, "describe_security_groups", "SecurityGroups", "GroupId", lambda g: g["GroupName"] != "default"
        ),
        "gateways": {
            one["InternetGatewayId"]: _name(one)
            for one in _all(ec2, "describe_internet_gateways", "InternetGateways")
            if not one["Attachments"] or one["Attachments"][0]["VpcId"] in vpcs
        },
        "tables": _ids(
            ec2,
            "describe_route_tables",
            "RouteTables",
            "RouteTableId",
            lambda t: not any(association["Main"] for association in t["Associations"]),
        ),
        "nat": _ids(
            ec2, "describe_nat_gateways", "NatGateways", "NatGatewayId", lambda n: n["State"] not in ("deleted",)
        ),
        "addresses": _ids(ec2, "describe_addresses", "Addresses", "AllocationId"),
        "volumes": _ids(ec2, "describe_volumes", "Volumes", "VolumeId"),
        "interfaces": _ids(
            ec2, "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId", tags="TagSet"
        ),
        "instances": {
            one["InstanceId"]: _name(one)
            for reservation in _all(ec2, "describe_instances", "Reservations")
            for one in reservation["Instances"]
            if one["State"]["Name"] != "terminated"
        },
        "images": _ids(ec2, "describe_images", "Images", "ImageId", Owners=["self"]),
        "snapshots": _ids(ec2, "describe_snapshots", "Snapshots", "SnapshotId", OwnerIds=["self"]),
        "placement": _ids(ec2, "describe_placement_groups", "PlacementGroups", "GroupId"),
        "templates": _ids(ec2, "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
        "keys": _ids(ec2, "describe_key_pairs", "KeyPairs", "KeyPairId"),
    }
    return {**found, "rules": _rules(ec2, found["groups"]), **_balancing(elbv2)}


def _balancing(elbv2: Any) -> Found:
    balancers = [*_all(elbv2, "describe_load_balancers", "LoadBalancers")]
    listeners = [
        one
        for balancer in balancers
        for one in elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    ]
    groups = [*_all(elbv2, "describe_target_groups", "TargetGroups")]
    return {
        "balancers": _tagged(elbv2, [one["LoadBalancerArn"] for one in balancers]),
        "listeners": _tagged(elbv2, [one["ListenerArn"] for one in listeners]),
        "targets": _tagged(elbv2, [one["TargetGroupArn"] for one in groups]),
    }


def _tagged(elbv2: Any, arns: list[str]) -> dict[str, str]:
    """The names of things whose tags have a call of their own."""
    told = elbv2.describe_tags(ResourceArns=arns)["TagDescriptions"] if arns else []
    return {one["ResourceArn"]: _name(one) for one in told}


def _rules(ec2: Any, groups: dict[str, str]) -> dict[str, str]:
    """The rules of groups, each in words; what a group lets out from the beginning is left out."""
    found = {}
    for one in _all(ec2, "describe_security_group_rules", "SecurityGroupRules"):
        source = one.get("CidrIpv4") or one.get("CidrIpv6") or one.get("ReferencedGroupInfo", {}).get("GroupId", "")
        ports = f"{one['IpProtocol']}/{one.get('FromPort', -1)}-{one.get('ToPort', -1)}"
        if one["GroupId"] in groups and not one["IsEgress"]:
            found[one["SecurityGroupRuleId"]] = f"{groups[one['GroupId']]} {ports} {groups.get(source, source)}"
    return found


def _ids(
    client: Any,
    operation: str,
    result: str,
    id_: str,
    wanted: Callable[[dict[str, Any]], bool] = lambda one: True,
    tags: str = "Tags",
    **asked: Any,
) -> dict[str, str]:
    return {one[id_]: _name(one, tags) for one in _all(client, operation, result, **asked) if wanted(one)}


def _all(client: Any, operation: str, result: str, **asked: Any) -> Iterator[dict[str, Any]]:
    if not client.can_paginate(operation):
        yield from getattr(client, operation)(**asked)[result]
        return
    for page in client.get_paginator(operation).paginate(**asked):
        yield from page.get(result, [])


def _name(one: dict[str, Any], tags: str = "Tags") -> str:
    told = {tag["Key"]: tag["Value"] for tag in one.get(tags) or ()}
    return told.get("prov:address") or told.get("Name") or ""


def main(region: str, endpoint: str | None = None) -> None:
    ec2, elbv2 = (boto3.client(name, region_name=region, endpoint_url=endpoint) for name in ("ec2", "elbv2"))
    print(json.dumps(inventory(ec2, elbv2), indent=2, sort_keys=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
