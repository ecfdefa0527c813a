"""Target health, as a balancer finds it out."""

from __future__ import annotations

from beds.aws.bed import Bed
from beds.aws.ground import Ground
from beds.aws.health import Target


def _states(ground: Ground, group: str) -> dict[str, str]:
    found = ground.elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return {one["Target"]["Id"]: one["TargetHealth"]["State"] for one in found}


def test_a_target_is_unused_before_there_is_a_listener(ground: Ground) -> None:
    """moto calls it healthy."""
    group, instance = ground.target_group(), ground.running()
    ground.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])

    assert _states(ground, group) == {instance: "unused"}


def test_a_target_is_as_healthy_as_it_answers(bed: Bed, ground: Ground) -> None:
    """The check of the bed decides, and is asked with the private address and the port."""
    asked: list[Target] = []
    healthy = [False]

    def check(target: Target) -> bool:
        asked.append(target)
        return healthy[0]

    bed.health = check
    group, instance = ground.target_group(), ground.running(PrivateIpAddress="10.0.1.77")
    ground.listener(ground.balancer(), group)
    ground.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    before, to_before = _states(ground, group), bed.healthy(group)
    healthy[0] = True

    assert before == {instance: "unhealthy"}
    assert to_before == []
    assert _states(ground, group) == {instance: "healthy"}
    assert bed.healthy(group) == [Target(instance, "10.0.1.77", 6443, group)]
    assert {(one.address, one.port) for one in asked} == {("10.0.1.77", 6443)}


def test_what_was_taken_out_or_stopped_gets_nothing(bed: Bed, ground: Ground) -> None:
    """A target that stops is unused; one that is taken out is no longer listed."""
    group, one, two = ground.target_group(), ground.running(), ground.running()
    ground.listener(ground.balancer(), group)
    ground.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": one}, {"Id": two}])
    ground.ec2.stop_instances(InstanceIds=[one])
    stopped = _states(ground, group)
    ground.elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": one}])

    assert stopped == {one: "unused", two: "healthy"}
    assert _states(ground, group) == {two: "healthy"}
    assert [target.id for target in bed.healthy(group)] == [two]


def test_a_terminated_target_is_not_healthy(bed: Bed, ground: Ground) -> None:
    """moto calls it healthy for ever."""
    group, instance = ground.target_group(), ground.running()
    ground.listener(ground.balancer(), group)
    ground.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    ground.ec2.terminate_instances(InstanceIds=[instance])

    assert "healthy" not in _states(ground, group).values()
    assert bed.healthy(group) == []
