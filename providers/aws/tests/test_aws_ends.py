"""Machines that end by themselves after EC2 has taken the order for them."""

from __future__ import annotations

from typing import Any

import pytest
from beds.aws.bed import Bed
from beds.aws.holds import Pace
from fakes.aws_remote import AwsRemote
from prov_aws import provider
from prov_aws.client import Aws
from prov_aws.settings import AwsSettings

from provisioner.conformance.lab import Lab, Sample
from provisioner.sdk import Address, Fatal, Ref

MACHINE = Address("aws.machine", "one")
CLIENTS: dict[str, Any] = {}


@pytest.fixture
def lab(bed: Bed) -> Lab:
    """A machine on private ground."""
    samples = {
        "aws.network/one": Sample({"name": "one", "cidr": "10.1.0.0/16"}),
        "aws.subnet/one": Sample(
            {"name": "one", "network": Ref(Address("aws.network", "one"), "id"), "cidr": "10.1.0.0/20", "zone": "a"}
        ),
        "aws.machine/one": Sample(
            {
                "name": "one",
                "type": "m7i.large",
                "image": bed.publish_talos("v1.13.9")["x86_64"],
                "subnet": Ref(Address("aws.subnet", "one"), "id"),
            }
        ),
    }
    settings = AwsSettings(region="eu-west-1", instance_role=False)
    return Lab(provider, lambda: Aws(settings, clients=CLIENTS), AwsRemote(bed, "machine"), samples)


@pytest.mark.parametrize("polls", [1, 3])
@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("Client.InternalError: Client error on launch", "the key of its disks"),
        ("Server.InsufficientInstanceCapacity: Insufficient capacity to satisfy request", "other `zones`"),
        ("Client.VolumeLimitExceeded: Volume limit exceeded", "Service Quotas"),
    ],
)
def test_a_machine_that_ends_at_once_is_told_with_the_reason(
    bed: Bed, lab: Lab, reason: str, remedy: str, polls: int
) -> None:
    """Without delay, and nothing of it stays on record: the next run makes another one."""
    bed.pace, bed.doomed = Pace(polls=polls), reason
    begun = lab.process.clock.now()
    with pytest.raises(Fatal) as caught:
        lab.make(MACHINE)

    assert (lab.process.clock.now() - begun).total_seconds() < 60
    assert reason in caught.value.detail
    assert remedy in caught.value.remedy
    assert not caught.value.effect


def test_a_system_disk_at_another_device_is_told(bed: Bed, lab: Lab) -> None:
    """Size and encryption would go to a second disk, and nobody would notice."""
    mapping: Any = [{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 8}}]
    image = bed.client("ec2").register_image(
        Name="by-hand", RootDeviceName="/dev/sda1", BlockDeviceMappings=mapping, Architecture="x86_64"
    )["ImageId"]
    bed.settle()
    sample = lab.samples[str(MACHINE)].props
    lab.samples = {**lab.samples, str(MACHINE): Sample({**sample, "image": image, "root_gib": 20})}
    with pytest.raises(Fatal) as caught:
        lab.make(MACHINE)
    lab.samples = {**lab.samples, str(MACHINE): Sample({**sample, "image": image, "root_device": "/dev/sda1"})}

    assert "root: {device: /dev/sda1}" in caught.value.remedy
    assert caught.value.effect
    assert lab.make(MACHINE).outputs.id


def test_a_machine_that_is_not_listed_yet_is_waited_for(bed: Bed, lab: Lab) -> None:
    """What EC2 does not show has not ended."""
    lab.resolved(Ref(Address("aws.subnet", "one"), "id"))
    bed.unseen = Pace(polls=4)
    held = lab.make(MACHINE)

    assert lab.remote.existing() == {held.outputs.id}
