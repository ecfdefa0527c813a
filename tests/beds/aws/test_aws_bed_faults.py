"""Faults on demand."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from beds.aws.bed import Bed
from beds.aws.faults import Rates
from beds.aws.ground import Ground, refusal
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError

CODES = {
    "throttled": "RequestLimitExceeded",
    "server": "InternalError",
    "denied": "UnauthorizedOperation",
    "capacity": "InsufficientInstanceCapacity",
    "quota": "InstanceLimitExceeded",
    "conflict": "DependencyViolation",
}


@pytest.mark.parametrize("fault", CODES)
def test_a_fault_is_told_and_nothing_is_done(bed: Bed, ground: Ground, fault: str) -> None:
    """The next call of the action fails once, and it has no effect."""
    bed.faults.script(fault, "ec2:RunInstances")  # type: ignore[arg-type]
    code = refusal(ground.run)
    there = ground.instances()
    ground.run()

    assert code == CODES[fault]
    assert there == []
    assert len(ground.instances()) == 1


@pytest.mark.parametrize(("fault", "made"), [("lost", 1), ("reset", 0), ("timeout", 0)])
def test_a_connection_that_breaks(bed: Bed, ground: Ground, fault: str, made: int) -> None:
    """An answer that is lost had its effect, a connection that breaks before had none."""
    bed.faults.script(fault, "ec2:RunInstances")  # type: ignore[arg-type]
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        ground.run(ClientToken="one")

    assert len(ground.instances()) == made
    assert ground.run(ClientToken="one")
    assert len(ground.instances()) == 1


def test_a_stale_read_tells_how_it_was(bed: Bed, ground: Ground) -> None:
    """The answer of a moment ago comes again, and the next one is right."""
    bed.settle()
    bed.now = lambda: 0.0
    before = ground.instances()
    instance = ground.run()
    bed.faults.script("stale", "ec2:DescribeInstances")
    stale, fresh = ground.instances(), ground.instances()

    assert (before, stale) == ([], [])
    assert [one["InstanceId"] for one in fresh] == [instance]


def test_a_stale_read_is_not_older_than_it_can_be(bed: Bed, ground: Ground) -> None:
    """What is out of date by more than the bed allows is not told any more."""
    clock = [0.0]
    bed.now, bed.stale_s = lambda: clock[0], 2.0
    ground.instances()
    instance = ground.run()
    clock[0] = 3.0
    bed.faults.script("stale", "ec2:DescribeInstances")

    assert [one["InstanceId"] for one in ground.instances()] == [instance]


def test_faults_at_random_come_at_their_rates(bed: Bed, ground: Ground) -> None:
    """A seed makes them the same each time, and the bed counts what it did."""
    seen = []
    for _ in range(2):
        bed.faults.at_random(Rates(throttled=0.2, server=0.1), seed=7)
        outcome = []
        for _ in range(60):
            try:
                ground.ec2.describe_vpcs()
                outcome.append("ok")
            except ClientError as err:
                outcome.append(str(err.response["Error"]["Code"]))
        seen.append(outcome)
    bed.faults.clear()

    assert seen[0] == seen[1]
    assert {"ok", "RequestLimitExceeded", "InternalError"} == set(seen[0])
    assert bed.faults.met["throttled"] == 2 * seen[0].count("RequestLimitExceeded")
    assert ground.ec2.describe_vpcs()["Vpcs"]


def test_other_services_say_it_in_their_way(bed: Bed) -> None:
    """Throttling has another name in each service."""
    bed.faults.script("throttled", "*", times=4)
    codes = {
        "elbv2": refusal(lambda: bed.client("elbv2").describe_load_balancers()),
        "iam": refusal(lambda: bed.client("iam").list_roles()),
        "route53": refusal(lambda: bed.client("route53").list_hosted_zones()),
        "s3": refusal(lambda: bed.client("s3").list_buckets()),
    }

    assert codes == {"elbv2": "Throttling", "iam": "Throttling", "route53": "Throttling", "s3": "SlowDown"}


def test_silence_answers_nothing(bed: Bed, ground: Ground) -> None:
    """Nothing at all is answered while the bed is silent."""
    bed.silent = True
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        ground.instances()
    bed.silent = False

    assert ground.instances() == []


def test_calls_are_counted_by_action(bed: Bed, ground: Ground) -> None:
    """Failed ones count too."""
    bed.records.clear()
    bed.faults.script("denied", "ec2:RunInstances")
    refusal(ground.run)
    ground.run()
    ground.instances()

    assert dict(bed.calls()) == {"ec2:RunInstances": 2, "ec2:DescribeInstances": 1}
    assert bed.writes() == 1


def test_an_account_and_a_region_are_told_apart(bed: Bed, ground: Ground) -> None:
    """Calls are recorded with both, and what is in one region is not in another."""
    there = bed.client("ec2", "eu-central-1").describe_vpcs()["Vpcs"]

    assert ground.vpc not in [vpc["VpcId"] for vpc in there]
    assert (bed.records[-1].call.region, bed.records[-1].call.account) == ("eu-central-1", "123456789012")


def test_calls_can_take_their_time(bed: Bed, ground: Ground) -> None:
    """An answer comes no sooner than the bed is told to take, and nobody else waits for it."""
    bed.delay_s = 0.2
    began = time.monotonic()
    with ThreadPoolExecutor(5) as pool:
        found = list(pool.map(lambda _: ground.instances(), range(5)))
    seconds = time.monotonic() - began

    assert found == [[]] * 5
    assert seconds >= 0.2
