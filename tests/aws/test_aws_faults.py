"""Throttling, errors of the service, lost answers, stale reads at random: what comes of it is exact all the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from beds.aws.faults import Rates
from beds.aws.holds import Pace
from crash.aws import ONE, TWO, AwsGround, Shape, aws_ground

pytestmark = [pytest.mark.aws, pytest.mark.timeout(900)]
RATES = Rates(throttled=0.05, server=0.02, lost=0.01, stale=0.05)


@pytest.fixture
def ground() -> Iterator[AwsGround]:
    """A fresh laboratory, in which new objects do not show at once."""
    with aws_ground() as ground:
        ground.lab.bed.unseen = Pace(polls=2, seconds=0.5)
        yield ground


def _go(ground: AwsGround, shape: Shape | None, seed: int) -> None:
    """One run with faults, and a look without."""
    ground.lab.bed.faults.at_random(RATES, seed)
    ground.reach(shape)
    ground.lab.bed.faults.clear()
    ground.lab.bed.settle()
    ground.check()


@pytest.mark.parametrize("seed", [1])
def test_a_cluster_comes_and_goes_in_spite_of_faults(ground: AwsGround, seed: int) -> None:
    """Made, changed and removed; after each run exactly what is wanted exists, and the bed did trouble it."""
    for step, shape in enumerate((ONE, TWO, None)):
        _go(ground, shape, 100 * seed + step)

    assert {"throttled", "server", "stale"} <= set(ground.lab.bed.faults.met)


def test_an_answer_that_is_lost_costs_nothing(ground: AwsGround) -> None:
    """Of every call that makes something the first answer is lost, and nothing is made twice."""
    made = ("RunInstances", "CreateNatGateway", "AllocateAddress", "CreateVpc", "CreateSubnet", "CreateSecurityGroup")
    made += ("CreateRouteTable", "CreateInternetGateway", "AuthorizeSecurityGroupIngress")
    for action in made:
        ground.lab.bed.faults.script("lost", f"ec2:{action}")
    for action in ("CreateLoadBalancer", "CreateTargetGroup", "CreateListener", "RegisterTargets"):
        ground.lab.bed.faults.script("lost", f"elbv2:{action}")
    ground.reach(ONE)
    ground.lab.bed.settle()
    ground.check()

    assert ground.lab.bed.faults.met["lost"] == len(made) + 4
