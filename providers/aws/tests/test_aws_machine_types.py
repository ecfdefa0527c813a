"""A type that EC2 does not have where it is wanted is told before anything is made."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
from beds.aws.bed import Bed
from fakes.aws_remote import AwsRemote
from prov_aws import provider
from prov_aws.client import Aws
from prov_aws.kinds.machine_types import MachineTypesOutputs
from prov_aws.settings import AwsSettings

from provisioner.conformance.lab import LINEAGE, Lab, Sample
from provisioner.sdk import Address, Answer, Done, Fatal

TYPES = Address("aws.machine_types", "one")
CLIENTS: dict[str, Any] = {}


def _check(bed: Bed, types: dict[str, tuple[str, ...]]) -> Answer:
    settings = AwsSettings(region="us-east-1", instance_role=False)
    sample = Sample({"types": types})
    lab = Lab(provider, lambda: Aws(settings, clients=CLIENTS), AwsRemote(bed, "machine_types"), {str(TYPES): sample})
    return lab.call("check", lab.hold(TYPES))


def test_what_there_is_passes(bed: Bed) -> None:
    """Zones by letter or by name, or any."""
    assert _check(bed, {"m7i.large": ("a", "us-east-1f"), "m7g.large": ("b",), "c7i.large": ()}) == Done(
        MachineTypesOutputs("us-east-1")
    )


def test_a_mistyped_type_is_told_with_the_nearest_one(bed: Bed) -> None:
    with pytest.raises(Fatal) as caught:
        _check(bed, {"m7i.large": ("a",), "m7i.lagre": ("a",)})

    assert caught.value.summary == "EC2 has no machines of this type here"
    assert caught.value.detail == "m7i.lagre in us-east-1"
    assert caught.value.remedy == "choose another `size` or region; did you mean 'm7i.large'?"


def test_a_zone_without_the_type_is_told_with_those_that_have_it(bed: Bed) -> None:
    """Not every zone has every type: the oldest ones have none that are new."""
    with pytest.raises(Fatal) as caught:
        _check(bed, {"m7i.large": ("a", "e")})

    assert caught.value.detail == "m7i.large in us-east-1e"
    assert caught.value.remedy.startswith("there are some in a, b, c, d, f:")


def test_a_type_for_any_zone_has_to_be_somewhere(bed: Bed) -> None:
    with pytest.raises(Fatal, match="no machines of this type here"):
        _check(bed, {"m7i.lagre": ()})


@pytest.mark.parametrize(("lineage", "passes"), [(LINEAGE, True), ("01k0bbbbbbbbbbbbbbbbbbbbbb", False)])
def test_machines_that_stand_keep_a_type_that_is_not_offered_any_more(bed: Bed, lineage: str, passes: bool) -> None:
    """They are no obstacle for what else is wanted; machines of others say nothing."""
    ec2 = bed.client("ec2", region="us-east-1")
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "prov:lineage", "Value": lineage}]}]
    zone, image = {"AvailabilityZone": "us-east-1e"}, bed.publish_talos("v1.13.9", "us-east-1")["x86_64"]
    ec2.run_instances(
        ImageId=image, InstanceType="m7i.large", MinCount=1, MaxCount=1, Placement=zone, TagSpecifications=tags
    )
    with nullcontext() if passes else pytest.raises(Fatal):
        _check(bed, {"m7i.large": ("e",)})


def test_where_it_may_not_be_asked_ec2_has_the_word_later(bed: Bed) -> None:
    """The policy of somebody who set prov up earlier does not have the permission."""
    bed.faults.script("denied", "ec2:DescribeInstanceTypeOfferings")

    assert _check(bed, {"m7i.lagre": ("a",)}) == Done(MachineTypesOutputs("us-east-1"))
