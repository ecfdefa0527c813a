"""Client tokens: the same call twice is done once."""

from __future__ import annotations

from typing import Any

import pytest
from beds.aws.bed import Bed
from beds.aws.ground import Ground, refusal


def test_the_same_token_gives_the_same_instance(ground: Ground) -> None:
    """A launch that is repeated with its token makes nothing new; without one it does."""
    first, again = ground.run(ClientToken="one"), ground.run(ClientToken="one")
    other = ground.run(ClientToken="two")

    assert again == first
    assert other != first
    assert len(ground.instances()) == 2


def test_a_token_belongs_to_its_region(bed: Bed, ground: Ground) -> None:
    """The same token in another region is another token."""
    first = ground.ec2.create_volume(AvailabilityZone="eu-west-1a", Size=1, ClientToken="one")["VolumeId"]
    there = bed.client("ec2", "eu-central-1").create_volume(
        AvailabilityZone="eu-central-1a", Size=1, ClientToken="one"
    )

    assert there["VolumeId"] != first


def test_other_parameters_under_a_token_are_refused(ground: Ground) -> None:
    """A token stands for one request, to the letter."""
    ground.run(ClientToken="one")

    code = refusal(lambda: ground.run(ClientToken="one", UserData="other"))

    assert code == "IdempotentParameterMismatch"


def test_the_token_of_a_terminated_instance_is_refused(ground: Ground) -> None:
    """A dead instance is not given back, and nothing new is made either."""
    instance = ground.run(ClientToken="one")
    ground.ec2.terminate_instances(InstanceIds=[instance])

    code = refusal(lambda: ground.run(ClientToken="one"))

    assert code == "IdempotentInstanceTerminated"
    assert [one["InstanceId"] for one in ground.instances()] == [instance]


@pytest.mark.parametrize("kind", ["volume", "interface", "nat", "table"])
def test_tokens_work_wherever_there_are_any(ground: Ground, kind: str) -> None:
    """Volumes, interfaces, NAT gateways and route tables are made once per token."""
    ec2 = ground.ec2
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    calls: dict[str, Any] = {
        "volume": lambda: ec2.create_volume(AvailabilityZone="eu-west-1a", Size=1, ClientToken="t")["VolumeId"],
        "interface": lambda: ec2.create_network_interface(SubnetId=ground.subnet, ClientToken="t")[
            "NetworkInterface"
        ]["NetworkInterfaceId"],
        "nat": lambda: ec2.create_nat_gateway(SubnetId=ground.subnet, AllocationId=address, ClientToken="t")[
            "NatGateway"
        ]["NatGatewayId"],
        "table": lambda: ec2.create_route_table(VpcId=ground.vpc, ClientToken="t")["RouteTable"]["RouteTableId"],
    }

    assert calls[kind]() == calls[kind]()


def test_a_call_that_failed_leaves_its_token_unused(bed: Bed, ground: Ground) -> None:
    """What was refused had no effect, so its token may be used for something else."""
    bed.faults.script("capacity", "ec2:RunInstances")
    code = refusal(lambda: ground.run(ClientToken="one"))
    instance = ground.run(ClientToken="one", InstanceType="m7i.xlarge")

    assert code == "InsufficientInstanceCapacity"
    assert [one["InstanceId"] for one in ground.instances()] == [instance]


def test_an_instance_is_found_by_its_token(ground: Ground) -> None:
    """The filter client-token works, at which moto ends with 500."""
    instance = ground.run(ClientToken="one")
    ground.run(ClientToken="two")

    found = ground.instances(Filters=[{"Name": "client-token", "Values": ["one"]}])

    assert [one["InstanceId"] for one in found] == [instance]
