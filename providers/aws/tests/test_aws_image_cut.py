"""An image that is cut off while it is made: it goes on with the same snapshot, or is removed without a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from beds.aws.bed import Bed
from fakes.aws_remote import AwsRemote, is_ours
from prov_aws import provider
from prov_aws.client import Aws
from prov_aws.settings import AwsSettings

from provisioner.conformance.lab import Held, Lab, Sample
from provisioner.sdk import Address, Done, Fatal, Pending, Retry

DISK = Path(__file__).with_name("disk.raw.gz")
IMAGE = Address("aws.image", "one")
PHASES = ("asked", "sending", "sealing", "registering", "made")
CLIENTS: dict[str, Any] = {}
WRITES = {
    "asked": "ebs:StartSnapshot",
    "sending": "ebs:PutSnapshotBlock",
    "sealing": "ebs:CompleteSnapshot",
    "registering": "ec2:RegisterImage",
}
"""What is written in a phase."""


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Disk images are unpacked here."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture
def lab(bed: Bed) -> Lab:
    """A laboratory for images."""
    settings = AwsSettings(region="eu-west-1", instance_role=False)
    sample = Sample({"name": "one", "url": DISK.as_uri(), "size_gib": 1})
    remote = AwsRemote(bed, "image")
    return Lab(provider, lambda: Aws(settings, clients=CLIENTS), remote, {str(IMAGE): sample})


def _left(bed: Bed) -> dict[str, list[str]]:
    """The images and snapshots of the account."""
    bed.settle()
    ec2 = bed.client("ec2")
    return {
        "images": [one["ImageId"] for one in ec2.describe_images(Owners=["self"])["Images"]],
        "snapshots": [one["SnapshotId"] for one in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]],
    }


def _reach(lab: Lab, phase: str) -> Held:
    """An image in the making that has come to a phase."""
    held = lab.hold(IMAGE)
    while held.phase != phase:
        assert not lab._step("create", held), f"done without {phase}"
    return held


def _cut(lab: Lab, bed: Bed, held: Held) -> None:
    """The next call is made, and the process ends before it has the answer."""
    calls = bed.calls()
    for _ in range(20):
        try:
            answer = lab.call("create", held)
        except Retry:
            break
        lab.passes(5.0)
        if held.phase not in WRITES or bed.calls()[WRITES[held.phase]] > calls[WRITES[held.phase]]:
            break
        assert isinstance(answer, Pending)
    lab.drop()


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "answer-lost"])
@pytest.mark.parametrize("phase", PHASES)
def test_what_is_destroyed_after_a_cut_leaves_no_snapshot_and_no_image(
    bed: Bed, lab: Lab, phase: str, lost: bool
) -> None:
    held = _reach(lab, phase)
    if lost and phase in WRITES:
        bed.faults.script("lost", WRITES[phase])
    _cut(lab, bed, held)
    there = _left(bed)
    lab.remove(held)

    assert there["snapshots"] or there["images"], "the cut came after something had been made"
    assert _left(bed) == {"images": [], "snapshots": []}


@pytest.mark.parametrize("phase", PHASES)
def test_what_goes_on_after_a_cut_makes_one_snapshot_and_one_image(bed: Bed, lab: Lab, phase: str) -> None:
    held = _reach(lab, phase)
    if phase in WRITES:
        bed.faults.script("lost", WRITES[phase])
    _cut(lab, bed, held)
    lab.finish("create", held)

    assert _left(bed) == {"images": [held.outputs.id], "snapshots": [held.outputs.snapshot]}


def test_a_snapshot_that_is_not_known_at_once_is_waited_for_but_not_for_ever(bed: Bed, lab: Lab) -> None:
    """Those who take blocks may not know it for up to two minutes."""
    held = _reach(lab, "sending")
    snapshot = held.memo["snapshot"]
    bed.client("ec2").delete_snapshot(SnapshotId=snapshot)
    begun = lab.process.clock.now()
    with pytest.raises(Fatal) as caught:
        lab.finish("create", held)

    assert 120 <= (lab.process.clock.now() - begun).total_seconds() <= 140
    assert caught.value.effect
    assert sum(is_ours(one) and one.call.name == "ebs:PutSnapshotBlock" for one in bed.records) > 10


def test_an_image_is_done_once_it_is_available(lab: Lab) -> None:
    held = _reach(lab, "made")
    answers = [lab.call("create", held)]
    while not isinstance(answers[-1], Done):
        lab.passes(2.0)
        answers.append(lab.call("create", held))

    assert answers[-1].outputs.id == held.id
