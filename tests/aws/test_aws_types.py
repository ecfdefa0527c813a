"""Types of control planes: one that EC2 does not have, and another one for those that stand.

Each of these is stopped only when etcd can spare it, with a balancer or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from beds.aws.lab import aws_cluster
from crash.aws import AwsGround, Shape, aws_ground
from crash.run import KILLED

pytestmark = [pytest.mark.aws, pytest.mark.timeout(300)]


@pytest.fixture
def ground() -> Iterator[AwsGround]:
    """A fresh laboratory whose balancers find everything well, so that they hold nothing up."""
    with aws_ground() as ground:
        ground.lab.bed.health = lambda target: True
        yield ground


def _cluster(size: str) -> Shape:
    """Three control planes in two pools, of which the first has a type of its own."""
    document = aws_cluster(2, 0, nodes="private", nat="none")
    document["pools"]["third"] = {**document["pools"]["control"], "count": 1, "zones": ["c"]}
    document["pools"]["control"]["size"] = size
    del document["pools"]["workers"]
    return Shape(size, document, {})


def _instances(ground: AwsGround) -> dict[str, dict[str, Any]]:
    """What EC2 tells of the instances, by node."""
    reservations = ground.lab.ec2.describe_instances()["Reservations"]
    things: list[dict[str, Any]] = [one for reservation in reservations for one in reservation["Instances"]]
    return {
        tag["Value"].partition("/")[2]: one for one in things for tag in one["Tags"] if tag["Key"] == "prov:address"
    }


def _types(ground: AwsGround) -> dict[str, str]:
    """The type of each instance, by node."""
    return {node: one["InstanceType"] for node, one in _instances(ground).items()}


def _left(ground: AwsGround) -> list[tuple[str, set[str]]]:
    """The nodes that were stopped, in order, each with those on which etcd was well right after."""
    nodes = {one["InstanceId"]: node for node, one in _instances(ground).items()}
    return [(nodes[id_], {nodes[other] for other in well}) for id_, well in ground.lab.bridge.left]


def _stops(ground: AwsGround) -> int:
    return ground.lab.bed.calls()["ec2:StopInstances"]


def test_a_type_that_ec2_does_not_have_is_told_before_anything_is_made(ground: AwsGround) -> None:
    """With the nearest one; the right one goes on from there."""
    ground.lab.write(dict(_cluster("m7i.lagre").document))
    refused = ground.runner.run("apply", "--yes")
    made = ground.lab.there()

    assert refused.code == 3, refused.text  # secrets are made meanwhile, in the state
    assert "EC2 has no machines of this type here: m7i.lagre in eu-west-1" in refused.text
    assert "did you mean 'm7i.large'?" in refused.text
    assert made == {}
    ground.reach(_cluster("m7i.large"))


def test_etcd_has_all_others_whenever_a_control_plane_is_stopped(ground: AwsGround) -> None:
    """The plan says so; then each of both is stopped while etcd is well on all others, and has its new type."""
    ground.reach(_cluster("m7i.large"))
    ground.lab.write(dict(_cluster("m7i.xlarge").document))
    plan = ground.runner.run("plan")
    applied = ground.runner.run("apply", "--yes", "--step-timeout", "60")
    after = ground.runner.run("plan")

    told = "stops the machine, makes it a m7i.xlarge, and starts it; one machine at a time; once etcd can spare it; "
    assert plan.text.count(f"({told}the next one when it is back)") == 2, plan.text
    assert "In turns: one control plane at a time, so that etcd keeps its quorum." in plan.text
    assert applied.code == 0, applied.text
    assert _left(ground) == [
        ("control-1", {"control-2", "third-1"}),
        ("control-2", {"control-1", "third-1"}),
    ]
    assert _types(ground) == {"control-1": "m7i.xlarge", "control-2": "m7i.xlarge", "third-1": "m7i.large"}
    assert after.code == 0, after.text


def test_none_is_stopped_while_another_is_missing_and_the_missing_one_comes_first(ground: AwsGround) -> None:
    """With one of three hung nothing is stopped; one that hangs and gets a new type itself goes before others."""
    ground.reach(_cluster("m7i.large"))
    ground.lab.write(dict(_cluster("m7i.xlarge").document))
    ground.lab.bridge.hang("third-1")
    held = ground.runner.run("apply", "--yes", "--step-timeout", "5")
    stops, types = _stops(ground), _types(ground)
    document = dict(_cluster("m7i.xlarge").document)
    document["pools"]["third"]["size"] = "m7i.xlarge"
    ground.lab.write(document)
    applied = ground.runner.run("apply", "--yes", "--step-timeout", "60")

    assert held.code == 3, held.text
    assert "control-1 stays as it is: of 3 etcd members 1 are healthy, and 2 are needed for a quorum" in held.text
    assert stops == 0
    assert set(types.values()) == {"m7i.large"}
    assert applied.code == 0, applied.text
    assert _left(ground) == [
        ("third-1", {"control-1", "control-2"}),
        ("control-1", {"control-2", "third-1"}),
        ("control-2", {"control-1", "third-1"}),
    ]
    assert set(_types(ground).values()) == {"m7i.xlarge"}


def test_one_that_a_killed_run_has_stopped_is_started_though_another_is_missing_by_then(ground: AwsGround) -> None:
    """What is down already is not held up for want of the quorum that lacks it; the next one is."""
    ground.reach(_cluster("m7i.large"))
    ground.lab.write(dict(_cluster("m7i.xlarge").document))
    killed = ground.runner.run("apply", "--yes", PROV_CRASH_AT="request ec2.modify_instance_attribute - - before 1")
    ground.lab.bridge.wait(lambda: bool(ground.lab.bridge.left))
    ground.lab.bridge.hang("third-1")
    held = ground.runner.run("apply", "--yes", "--step-timeout", "20")

    assert killed.code == KILLED, killed.text
    assert held.code == 3, held.text
    assert _types(ground) == {"control-1": "m7i.xlarge", "control-2": "m7i.large", "third-1": "m7i.large"}
    assert "control-2 stays as it is: of 3 etcd members 1 are healthy" in held.text
    assert _left(ground) == [("control-1", {"control-2", "third-1"})]
