"""SIGKILL at ten points of a small cluster's life on EC2: afterwards exactly what is wanted exists.

`make crash-aws` kills at every kind of point there is.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from crash.aws import SCENARIOS, AwsGround, aws_ground

pytestmark = [pytest.mark.aws, pytest.mark.timeout(900)]
POINTS = (
    ("first", "request ec2.run_instances - - after:answer 1"),
    ("edit", "request ec2.run_instances - - after:answer 1"),
    ("edit-back", "request ec2.terminate_instances - - after:answer 1"),
    ("destroy", "request ec2.delete_nat_gateway - - after:answer 1"),
    ("first", "request ec2.create_vpc - - after:answer 1"),
    ("destroy", "request elbv2.delete_load_balancer - - before 1"),
    ("first", "request ec2.allocate_address - - after:answer 1"),
    ("destroy", "request ec2.terminate_instances - - after:answer 1"),
    ("first", "request elbv2.create_load_balancer - - after:answer 1"),
    ("destroy", "request ec2.release_address - - after:answer 1"),
)
"""One after the other: each begins where the one before it ended."""


@pytest.fixture
def ground() -> Iterator[AwsGround]:
    """A fresh laboratory."""
    with aws_ground() as ground:
        yield ground


def test_killed_at_ten_points(ground: AwsGround) -> None:
    """An answer that is not on record yet, an object half made, an object half gone: nothing is lost or doubled."""
    scenarios = {scenario.name: scenario for scenario in SCENARIOS}
    missed = [point for name, point in POINTS if not ground.kill(scenarios[name], point)]

    assert missed == []
    assert ground.lab.there() == {}
