"""What others add to our objects is no reason to make these anew: machines, networks and disks stay."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve
from beds.aws.bed import Bed
from fakes.aws_remote import AwsRemote
from prov_aws import provider
from prov_aws.client import Aws
from prov_aws.kinds.nat_gateway import NatGatewayKind
from prov_aws.settings import AwsSettings

from provisioner.conformance.lab import Held, Lab, Sample, same
from provisioner.sdk import Address, Fatal, Ref, Retry, Seen

CLIENTS: dict[str, Any] = {}
MACHINE, NETWORK, SUBNET, DISK = (
    Address(f"aws.{kind}", "one") for kind in ("machine", "network", "subnet", "volume")
)


def _id(kind: str, name: str = "one") -> Ref:
    return Ref(Address(f"aws.{kind}", name), "id")


@pytest.fixture
def lab(bed: Bed) -> Lab:
    """A machine with a network, and a disk that nobody asked to be encrypted."""
    image = bed.publish_talos("v1.13.9")["x86_64"]
    groups = {
        f"aws.security_group/{name}": Sample({"name": name, "network": _id("network")}) for name in ("one", "other")
    }
    samples = {
        "aws.network/one": Sample({"name": "one", "cidr": "10.1.0.0/16"}),
        "aws.subnet/one": Sample({"name": "one", "network": _id("network"), "cidr": "10.1.0.0/20", "zone": "a"}),
        "aws.volume/one": Sample({"name": "one", "zone": "a", "size_gib": 5, "encrypted": False}),
        **groups,
        "aws.machine/one": Sample(
            {
                "name": "one",
                "type": "m7i.large",
                "image": image,
                "subnet": _id("subnet"),
                "security_groups": (_id("security_group"),),
            }
        ),
    }
    settings = AwsSettings(region="eu-west-1", instance_role=False)
    return Lab(provider, lambda: Aws(settings, clients=CLIENTS), AwsRemote(bed, "machine"), samples)


def _profile(bed: Bed, name: str) -> str:
    """A profile as somebody else makes it; gives its ARN."""
    iam = bed.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}))
    arn = str(iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Arn"])
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return arn


def _instance(bed: Bed, held: Held) -> Mapping[str, Any]:
    found = bed.client("ec2").describe_instances(InstanceIds=[held.id])["Reservations"][0]["Instances"][0]
    return dict(found)


def _differences(lab: Lab, held: Held) -> dict[str, tuple[Any, Any]]:
    reading = lab.read(held)
    assert isinstance(reading, Seen)
    schema = lab.schema(held.address)
    return same(schema, schema.dump(held.applied), reading.props)


def test_a_profile_that_fleet_tools_attach_is_left_alone(bed: Bed, lab: Lab) -> None:
    """Where the file names none; taking it off would not last."""
    held, arn = lab.make(MACHINE), _profile(bed, "fleet")
    bed.client("ec2").associate_iam_instance_profile(InstanceId=held.id, IamInstanceProfile={"Name": "fleet"})
    lab.change(held, {})

    assert _differences(lab, held) == {}
    assert _instance(bed, held)["IamInstanceProfile"]["Arn"] == arn


def test_another_profile_takes_the_place_while_the_machine_runs(bed: Bed, lab: Lab) -> None:
    """By name or by ARN, and none at all in the end; it is the same machine."""
    held, arns = lab.make(MACHINE), [_profile(bed, name) for name in ("first", "second")]
    told = []
    for profile in ("first", arns[1], ""):
        lab.change(held, {"profile": profile})
        told.append((_instance(bed, held).get("IamInstanceProfile") or {}).get("Arn", ""))

    assert told == [*arns, ""]
    assert _instance(bed, held)["State"]["Name"] == "running"
    assert not lab.schema(MACHINE).fields["profile"].marks.immutable


def test_a_profile_that_was_just_made_may_be_unknown_for_a_while(bed: Bed, lab: Lab) -> None:
    """One that nobody has made is told at once, and the machine stays."""
    held = lab.make(MACHINE)
    wanted = evolve(held.applied, profile="young")
    with pytest.raises(Fatal):
        lab.call("update", evolve(held, wanted=wanted))
    lab.client().born["young"] = lab.process.clock.now()

    with pytest.raises(Retry):
        lab.call("update", evolve(held, wanted=wanted))


def test_a_machine_with_further_interfaces_gets_its_groups_back(bed: Bed, lab: Lab) -> None:
    """Networks of pods attach interfaces, with groups of their own; EC2 then wants to know which one is meant."""
    held, other = lab.make(MACHINE), lab.resolved(_id("security_group", "other"))
    ec2, subnet = bed.client("ec2"), lab.resolved(_id("subnet"))
    more = ec2.create_network_interface(SubnetId=subnet, Groups=[other])["NetworkInterface"]["NetworkInterfaceId"]
    ec2.attach_network_interface(NetworkInterfaceId=more, InstanceId=held.id, DeviceIndex=1)
    unchanged = _differences(lab, held)
    first = _first(bed, held)
    ec2.modify_network_interface_attribute(NetworkInterfaceId=first, Groups=[other])
    changed = _differences(lab, held)
    lab.change(held, {})

    assert (unchanged, set(changed)) == ({}, {"security_groups"})
    assert _differences(lab, held) == {}


def _first(bed: Bed, held: Held) -> str:
    faces = _instance(bed, held)["NetworkInterfaces"]
    return next(str(face["NetworkInterfaceId"]) for face in faces if face["Attachment"]["DeviceIndex"] == 0)


def test_an_ipv6_block_of_somebody_else_is_left_alone(bed: Bed, lab: Lab) -> None:
    """A network or subnet made anew for it would take all machines with it."""
    subnet, network, ec2 = lab.make(SUBNET), lab.make(NETWORK), bed.client("ec2")
    given = ec2.associate_vpc_cidr_block(VpcId=network.id, AmazonProvidedIpv6CidrBlock=True)
    block = given["Ipv6CidrBlockAssociation"]["Ipv6CidrBlock"].replace("/56", "/64")
    ec2.associate_subnet_cidr_block(SubnetId=subnet.id, Ipv6CidrBlock=block)

    assert (_differences(lab, network), _differences(lab, subnet)) == ({}, {})


def test_ipv6_is_added_to_a_network_that_stands(bed: Bed, lab: Lab) -> None:
    """And to its subnets: nothing is made anew, and a block that a subnet has is not taken from it."""
    subnet, network = lab.make(SUBNET), lab.make(NETWORK)
    lab.change(network, {"ipv6": True})
    block = network.outputs.ipv6_cidr.replace("/56", "/64")
    lab.change(subnet, {"ipv6_cidr": block})
    found = bed.client("ec2").describe_subnets(SubnetIds=[subnet.id])["Subnets"][0]
    with pytest.raises(Fatal) as caught:
        lab.change(subnet, {"ipv6_cidr": "2001:db8::/64"})

    assert [one["Ipv6CidrBlock"] for one in found["Ipv6CidrBlockAssociationSet"]] == [block]
    assert block in caught.value.detail
    assert not caught.value.effect


def test_a_disk_that_the_account_encrypts_by_itself_is_as_it_was_wanted(bed: Bed, lab: Lab) -> None:
    """Nobody loses what is on a disk because it is safer than was asked for."""
    bed.client("ec2").enable_ebs_encryption_by_default()
    held = lab.make(DISK)
    found = bed.client("ec2").describe_volumes(VolumeIds=[held.id])["Volumes"][0]

    assert found["Encrypted"]
    assert _differences(lab, held) == {}


def test_a_nat_gateway_is_known_by_its_first_address() -> None:
    """Others are added where many machines go out, and AWS lists them in any order."""
    addresses = [
        {"AllocationId": "eipalloc-2"},
        {"AllocationId": "eipalloc-1", "IsPrimary": True, "PublicIp": "192.0.2.1"},
    ]
    told = NatGatewayKind().tell(None, {"NatGatewayId": "nat-1", "NatGatewayAddresses": addresses}, None)  # type: ignore[arg-type]

    assert told == {"id": "nat-1", "host": "192.0.2.1"}
