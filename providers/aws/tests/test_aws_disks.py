"""Disks that outlive their machines: attached where the file says so, and to the next one when that is made anew."""

from __future__ import annotations

from typing import Any

import pytest
from beds.aws.bed import Bed
from fakes.aws_remote import AwsRemote
from prov_aws import provider
from prov_aws.client import Aws
from prov_aws.settings import AwsSettings

from provisioner.conformance.lab import Held, Lab, Sample
from provisioner.sdk import Address, Pending, Ref

CLIENTS: dict[str, Any] = {}
MACHINE, DISK, OTHER = Address("aws.machine", "one"), Address("aws.volume", "one"), Address("aws.volume", "other")


@pytest.fixture
def lab(bed: Bed) -> Lab:
    """A machine with a disk of its own, and another disk."""
    image = bed.publish_talos("v1.13.9")["x86_64"]
    network = Ref(Address("aws.network", "one"), "id")
    samples = {
        "aws.network/one": Sample({"name": "one", "cidr": "10.1.0.0/16"}),
        "aws.subnet/one": Sample({"name": "one", "network": network, "cidr": "10.1.0.0/20", "zone": "a"}),
        "aws.volume/one": Sample({"name": "one", "zone": "a", "size_gib": 5}),
        "aws.volume/other": Sample({"name": "other", "zone": "a", "size_gib": 6}),
        "aws.machine/one": Sample(
            {
                "name": "one",
                "type": "m7i.large",
                "image": image,
                "subnet": Ref(Address("aws.subnet", "one"), "id"),
                "disks": {"/dev/sdf": Ref(DISK, "id")},
            }
        ),
    }
    settings = AwsSettings(region="eu-west-1", instance_role=False)
    return Lab(provider, lambda: Aws(settings, clients=CLIENTS), AwsRemote(bed, "machine"), samples)


def _disks(bed: Bed, held: Held) -> dict[str, str]:
    """The disks of a machine by device, but for that of its system."""
    found = bed.client("ec2").describe_instances(InstanceIds=[held.id])["Reservations"][0]["Instances"][0]
    mappings = {one["DeviceName"]: one["Ebs"]["VolumeId"] for one in found["BlockDeviceMappings"]}
    return {device: disk for device, disk in mappings.items() if device != found["RootDeviceName"]}


def test_a_disk_outlives_its_machine_and_is_attached_to_the_next_one(bed: Bed, lab: Lab) -> None:
    disk = lab.resolved(Ref(DISK, "id"))
    first = lab.make(MACHINE)
    before = _disks(bed, first)
    lab.remove(first)
    bed.settle()
    left = {one["VolumeId"] for one in bed.client("ec2").describe_volumes()["Volumes"]}
    second = lab.make(MACHINE)

    assert before == _disks(bed, second) == {"/dev/sdf": disk}
    assert left == {disk}


def test_another_disk_takes_the_place_once_it_is_free(bed: Bed, lab: Lab) -> None:
    held, other = lab.make(MACHINE), lab.resolved(Ref(OTHER, "id"))
    lab.change(held, {"disks": {"/dev/sdf": other}})

    assert _disks(bed, held) == {"/dev/sdf": other}


def test_disks_of_others_are_left_alone(bed: Bed, lab: Lab) -> None:
    """Kubernetes attaches disks of claims, and nothing is said of them."""
    held = lab.make(MACHINE)
    claimed = bed.client("ec2").create_volume(AvailabilityZone="eu-west-1a", Size=1)["VolumeId"]
    bed.settle()
    bed.client("ec2").attach_volume(VolumeId=claimed, InstanceId=held.id, Device="/dev/xvdba")
    lab.change(held, {})

    assert claimed in _disks(bed, held).values()
    assert (bed.calls()["ec2:AttachVolume"], bed.calls()["ec2:DetachVolume"]) == (2, 0)


def test_a_disk_that_is_in_use_is_not_removed(bed: Bed, lab: Lab) -> None:
    lab.make(MACHINE)
    disk = lab._needs[DISK]
    disk.applied, disk.wanted = disk.applied, None
    lab.call("delete", disk)
    disk.phase = "looking"
    told = lab.call("delete", disk)

    assert isinstance(told, Pending)
    assert "still uses" in told.note
