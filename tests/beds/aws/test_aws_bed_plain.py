"""What moto does by itself: the reasons for the bed, which may go one by one as moto learns."""

from __future__ import annotations

import pytest
from beds.aws.bed import Bed
from beds.aws.ground import Ground


@pytest.fixture
def plain(bed: Bed) -> Ground:
    """Moto alone."""
    ground = Ground.prepare(bed)
    bed.plain = True
    return ground


def test_moto_alone_makes_two_of_one_token(plain: Ground) -> None:
    plain.run(ClientToken="one")
    plain.run(ClientToken="one")

    assert len(plain.instances()) == 2


def test_moto_alone_lets_instances_run_at_once(plain: Ground) -> None:
    assert plain.state(plain.run()) == "running"


def test_moto_alone_takes_what_aws_refuses(plain: Ground) -> None:
    assert plain.run(ImageId="ami-00000000", InstanceType="m99.huge", UserData="x" * 20000)


def test_moto_alone_deletes_what_is_in_use(plain: Ground) -> None:
    plain.run()
    plain.ec2.delete_security_group(GroupId=plain.group)
    plain.ec2.delete_subnet(SubnetId=plain.subnet)

    assert plain.subnet not in [subnet["SubnetId"] for subnet in plain.ec2.describe_subnets()["Subnets"]]


def test_moto_alone_calls_every_target_healthy(plain: Ground) -> None:
    group, instance = plain.target_group(), plain.run()
    plain.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    found = plain.elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]

    assert [one["TargetHealth"]["State"] for one in found] == ["healthy"]


def test_moto_alone_makes_two_balancers_of_one_name(plain: Ground) -> None:
    assert plain.balancer() != plain.balancer()
