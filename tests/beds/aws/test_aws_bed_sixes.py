"""Instances have IPv6 addresses where they ask for some, or their subnet gives them one."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network
from typing import Any

import pytest
from beds.aws.bed import Bed
from beds.aws.ground import Ground, refusal
from beds.aws.judge import complaints


@pytest.fixture
def block(ground: Ground) -> IPv6Network:
    """The /64 of the ground's subnet."""
    ground.ec2.associate_vpc_cidr_block(VpcId=ground.vpc, AmazonProvidedIpv6CidrBlock=True)
    (vpc,) = ground.ec2.describe_vpcs(VpcIds=[ground.vpc])["Vpcs"]
    whole = IPv6Network(vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"])
    block = next(whole.subnets(new_prefix=64))
    ground.ec2.associate_subnet_cidr_block(SubnetId=ground.subnet, Ipv6CidrBlock=str(block))
    return block


def _asking(ground: Ground, **more: Any) -> dict[str, Any]:
    """An instance with an interface that asks for its own; as listing it tells."""
    face = {"DeviceIndex": 0, "SubnetId": ground.subnet, "Groups": [ground.group], **more}
    made = ground.ec2.run_instances(
        ImageId=ground.image, InstanceType="m7i.large", MinCount=1, MaxCount=1, NetworkInterfaces=[face]
    )["Instances"][0]
    (found,) = ground.instances(InstanceIds=[made["InstanceId"]])
    assert _sixes(made) == _sixes(found)
    return found


def _sixes(instance: dict[str, Any]) -> list[IPv6Address]:
    return [
        IPv6Address(one["Ipv6Address"]) for face in instance["NetworkInterfaces"] for one in face["Ipv6Addresses"]
    ]


def test_as_many_as_are_asked_for_out_of_the_block_and_none_twice(
    bed: Bed, ground: Ground, block: IPv6Network
) -> None:
    bed.keeps_bodies = True
    given = [*_sixes(_asking(ground, Ipv6AddressCount=1)), *_sixes(_asking(ground, Ipv6AddressCount=2))]

    assert len(given) == len(set(given)) == 3
    assert all(one in block for one in given)
    assert [text for record in bed.records for text in complaints(record)] == []


def test_a_subnet_gives_one_to_who_asks_for_nothing_only_where_it_is_told_to(
    ground: Ground, block: IPv6Network
) -> None:
    before = _sixes(_asking(ground))
    ground.ec2.modify_subnet_attribute(SubnetId=ground.subnet, AssignIpv6AddressOnCreation={"Value": True})
    after = _sixes(_asking(ground))

    assert before == []
    assert len(after) == 1
    assert after[0] in block


def test_a_subnet_without_a_block_has_none_to_give(ground: Ground) -> None:
    assert refusal(lambda: _asking(ground, Ipv6AddressCount=1)) == "InvalidParameterValue"
    assert _sixes(_asking(ground)) == []
