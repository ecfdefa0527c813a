"""What was left behind on EC2 is found and removed; what is on record or belongs to others stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from crash.aws import ONE, AwsGround, aws_ground

pytestmark = [pytest.mark.aws, pytest.mark.timeout(900)]


@pytest.fixture
def ground() -> Iterator[AwsGround]:
    """A fresh laboratory."""
    with aws_ground() as ground:
        yield ground


def test_a_cluster_whose_state_is_lost_is_swept(ground: AwsGround) -> None:
    """All of it goes, in an order in which it can; what somebody else made by hand stays."""
    lab = ground.lab
    ground.reach(ONE)
    by_hand = lab.ec2.create_volume(AvailabilityZone="eu-west-1a", Size=1)["VolumeId"]
    kept = lab.json("sweep")
    lineage = lab.ec2.describe_vpcs(Filters=[{"Name": "tag-key", "Values": ["prov:lineage"]}])["Vpcs"][0]["Tags"]
    (lab.folder / ".prov/lab.db").unlink()
    named = next(tag["Value"] for tag in lineage if tag["Key"] == "prov:lineage")
    counted = lab.json("sweep")
    swept = lab.json("sweep", "--yes", "--lineage", named)

    assert (kept["leftovers"], kept["unasked"]) == ([], {})
    assert counted["leftovers"] == []
    assert [one["lineage"] for one in counted["others"]] == [named]
    assert swept["failed"] == []
    assert lab.there() == {"volumes": {by_hand: ""}}


def test_what_was_taken_off_the_record_is_swept(ground: AwsGround) -> None:
    """The machine goes with its disks and its address, and nothing else does."""
    lab = ground.lab
    ground.reach(ONE)
    before = lab.counts()
    lab.prov("state", "rm", "aws.machine/control-1", "--yes")
    shown = lab.json("sweep", code=2)
    swept = lab.json("sweep", "--yes")
    after = lab.counts()

    assert [one["address"] for one in shown["leftovers"]] == ["aws.machine/control-1"]
    assert [one["address"] for one in swept["removed"]] == ["aws.machine/control-1"]
    assert {sort: before[sort] - after.get(sort, 0) for sort in before if before[sort] != after.get(sort, 0)} == {
        "instances": 1,
        "volumes": 2,
        "interfaces": 1,
    }
