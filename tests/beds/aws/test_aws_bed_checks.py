"""What real AWS refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from beds.aws.bed import Bed
from beds.aws.ground import Ground, refusal

LAUNCHES: dict[str, tuple[str, dict[str, Any]]] = {
    "an image that is not there": ("InvalidAMIID.NotFound", {"ImageId": "ami-00000000"}),
    "a type that is not there": ("InvalidParameterValue", {"InstanceType": "m99.huge"}),
    "a type of another architecture": ("InvalidParameterValue", {"InstanceType": "m7g.large"}),
    "too much user-data": ("InvalidParameterValue", {"UserData": "x" * 16385}),
    "a profile that is not there": ("InvalidParameterValue", {"IamInstanceProfile": {"Name": "none"}}),
    "a placement group that is not there": ("InvalidPlacementGroup.Unknown", {"Placement": {"GroupName": "none"}}),
    "a root disk that is too small": (
        "InvalidBlockDeviceMapping",
        {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 4}}]},
    ),
}


@pytest.mark.parametrize("what", LAUNCHES)
def test_a_launch_is_refused(ground: Ground, what: str) -> None:
    """Each of these moto takes; here nothing is launched."""
    expected, more = LAUNCHES[what]

    assert refusal(lambda: ground.run(**more)) == expected
    assert ground.instances() == []


def test_user_data_may_have_16_kib(ground: Ground) -> None:
    """The limit is in bytes before encoding."""
    assert ground.run(UserData="x" * 16384)


def test_an_address_is_given_once(ground: Ground) -> None:
    """moto ends with 500 here, or takes it."""
    ground.run(PrivateIpAddress="10.0.1.10")

    def interface() -> Any:
        return ground.ec2.create_network_interface(SubnetId=ground.subnet, PrivateIpAddress="10.0.1.10")

    assert refusal(lambda: ground.run(PrivateIpAddress="10.0.1.10")) == "InvalidIPAddress.InUse"
    assert refusal(interface) == "InvalidIPAddress.InUse"


def test_a_name_of_an_image_is_given_once(ground: Ground) -> None:
    def register() -> Any:
        return ground.ec2.register_image(Name="mine", RootDeviceName="/dev/xvda")

    register()

    assert refusal(register) == "InvalidAMIName.Duplicate"


def test_the_same_balancer_again_is_the_same_balancer(ground: Ground) -> None:
    """An equal request is answered with what is there, any other for the name is refused."""
    arn = ground.balancer()

    def other() -> Any:
        return ground.elbv2.create_load_balancer(
            Name="api", Type="network", Scheme="internal", Subnets=[ground.subnet]
        )

    assert ground.balancer() == arn
    assert refusal(other) == "DuplicateLoadBalancerName"


def test_a_port_of_a_balancer_is_given_once(ground: Ground) -> None:
    balancer, group = ground.balancer(), ground.target_group()
    ground.listener(balancer, group)

    assert refusal(lambda: ground.listener(balancer, group)) == "DuplicateListener"


def test_only_what_runs_becomes_a_target(ground: Ground) -> None:
    """Neither what is pending nor what never was; taking out what is not in is quiet."""
    group, pending = ground.target_group(), ground.run()

    def register(id_: str) -> Callable[[], Any]:
        return lambda: ground.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": id_}])

    assert refusal(register(pending)) == "InvalidTarget"
    assert refusal(register("i-0000000000000000")) == "InvalidTarget"
    ground.elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": pending}])


def test_a_zone_is_made_once_per_reference(bed: Bed) -> None:
    """moto makes another zone each time."""
    route53 = bed.client("route53")

    def make() -> Any:
        return route53.create_hosted_zone(Name="example.org", CallerReference="one")

    make()

    assert refusal(make) == "HostedZoneAlreadyExists"
