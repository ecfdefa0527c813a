"""Clusters of other shapes than the example: all sorts of pools, both families of addresses, an existing network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from ipaddress import IPv6Address, IPv6Network
from typing import Any

import pytest
from beds.aws.lab import AwsLab, aws_cluster
from crash.aws import AwsGround, Shape, aws_ground

pytestmark = [pytest.mark.aws, pytest.mark.timeout(900)]


@pytest.fixture
def ground() -> Iterator[AwsGround]:
    """A fresh laboratory."""
    with aws_ground() as ground:
        yield ground


def _instances(lab: AwsLab) -> dict[str, dict[str, Any]]:
    """What EC2 tells of the instances, by node."""
    found = lab.ec2.describe_instances(Filters=[{"Name": "instance-state-name", "Values": ["running"]}])
    things = [one for reservation in found["Reservations"] for one in reservation["Instances"]]
    return {
        tag["Value"].partition("/")[2]: one for one in things for tag in one["Tags"] if tag["Key"] == "prov:address"
    }


def test_pools_of_all_sorts_in_a_network_of_both_families(ground: AwsGround) -> None:
    """arm64 beside amd64, spare capacity at a price, a placement group, a role, an address for life; then nothing."""
    lab = ground.lab
    document = aws_cluster(1, 1, ipv6=True, nodes="private", nat="one", tags={"team": "blue"})
    worker = {"role": "worker", "provider": "aws", "count": 1, "zones": ["b"]}
    document["pools"]["workers"] |= {"size": "m7g.large", "placement": "spread"}
    document["pools"]["spare"] = {**worker, "size": "m7i.xlarge", "spot": 0.08, "root": {"size_gib": 30}}
    document["pools"]["edge"] = {**worker, "elastic_ip": True, "hop_limit": 2, "tags": {"team": "red"}}
    ground.reach(Shape("it", document, {}))
    found = _instances(lab)
    images = {one["ImageId"]: one["Architecture"] for one in lab.ec2.describe_images()["Images"]}
    addresses = {one.get("InstanceId"): one["PublicIp"] for one in lab.ec2.describe_addresses()["Addresses"]}
    networks = lab.ec2.describe_vpcs(Filters=[{"Name": "tag-key", "Values": ["prov:key"]}])["Vpcs"]
    subnets = lab.ec2.describe_subnets(Filters=[{"Name": "tag-key", "Values": ["prov:key"]}])["Subnets"]
    egress = lab.ec2.describe_egress_only_internet_gateways()["EgressOnlyInternetGateways"]
    asked = {
        record.call.params["InstanceType"]: record.call.params
        for record in lab.bed.records
        if record.call.action == "RunInstances"
    }
    plan = ground.runner.run("plan")
    record = json.loads(ground.runner.run("state", "pull").text)["entries"]
    ground.reach(None)

    assert plan.code == 0, plan.text
    assert {node: images[one["ImageId"]] for node, one in found.items()} == {
        "control-1": "x86_64",
        "workers-1": "arm64",
        "spare-1": "x86_64",
        "edge-1": "x86_64",
    }
    assert found["workers-1"]["Placement"]["GroupName"]
    assert {node for node, one in found.items() if one.get("InstanceLifecycle") == "spot"} == {"spare-1"}
    assert asked["m7i.xlarge"]["InstanceMarketOptions"]["SpotOptions"]["MaxPrice"] == "0.08"
    assert found["edge-1"]["InstanceId"] in addresses
    assert {node: one["MetadataOptions"]["HttpPutResponseHopLimit"] for node, one in found.items()} == {
        **dict.fromkeys(found, 1),
        "edge-1": 2,
    }
    assert {one["MetadataOptions"]["HttpTokens"] for one in found.values()} == {"required"}
    assert networks[0]["Ipv6CidrBlockAssociationSet"]
    assert all(subnet["Ipv6CidrBlockAssociationSet"] for subnet in subnets)
    assert all(one["NetworkInterfaces"][0]["Ipv6AddressCount"] == 1 for one in asked.values())
    blocks = {one["SubnetId"]: one["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"] for one in subnets}
    sixes = {node: one["NetworkInterfaces"][0]["Ipv6Addresses"][0]["Ipv6Address"] for node, one in found.items()}
    assert len(set(sixes.values())) == len(found)
    assert all(
        IPv6Address(sixes[node]) in IPv6Network(blocks[one["SubnetId"]], strict=True) for node, one in found.items()
    )
    assert {f"aws.machine/{node}": six for node, six in sixes.items()} == {
        entry["address"]: entry["outputs"]["ipv6"] for entry in record if entry["address"].startswith("aws.machine/")
    }
    assert len(egress) == 1
    assert lab.there() == {}


def test_a_network_that_exists_is_used_and_stays(ground: AwsGround) -> None:
    """Named by its tags, the subnet by its zone; nothing of it is changed or removed."""
    lab = ground.lab
    network = lab.ec2.create_vpc(CidrBlock=f"{lab.network}.0.0/16")["Vpc"]["VpcId"]
    subnet = lab.ec2.create_subnet(VpcId=network, CidrBlock=f"{lab.network}.0.0/20", AvailabilityZone="eu-west-1a")[
        "Subnet"
    ]["SubnetId"]
    lab.ec2.create_tags(Resources=[network], Tags=[{"Key": "Name", "Value": "shared"}])
    before = lab.there()
    document = aws_cluster(1, 1, nodes="private", nat="none", balancer={"public": False})
    document["providers"]["aws"]["network"] = {"tags": {"Name": "shared"}}
    ground.reach(Shape("it", document, {}))
    found, during = _instances(lab), lab.counts()
    plan = ground.runner.run("plan")
    ground.reach(None)

    assert plan.code == 0, plan.text
    assert {one["SubnetId"] for one in found.values()} == {subnet}
    assert (during["networks"], during["subnets"]) == (1, 1)
    assert "nat" not in during
    assert lab.there() == before
