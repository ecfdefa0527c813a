"""What something else uses cannot be deleted."""

from __future__ import annotations

from collections.abc import Callable

from beds.aws.bed import Bed
from beds.aws.ground import Ground, refusal
from beds.aws.holds import Pace


def test_what_an_instance_uses_stays(ground: Ground) -> None:
    """Its group and its subnet cannot be deleted, which moto does without a word."""
    ground.run()

    assert refusal(lambda: ground.ec2.delete_security_group(GroupId=ground.group)) == "DependencyViolation"
    assert refusal(lambda: ground.ec2.delete_subnet(SubnetId=ground.subnet)) == "DependencyViolation"


def test_a_group_that_others_name_stays(ground: Ground) -> None:
    """A rule of another group that names it has to go first."""
    ec2 = ground.ec2
    other = ec2.create_security_group(GroupName="other", Description="other", VpcId=ground.vpc)["GroupId"]
    rule = [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": [{"GroupId": ground.group}]}]
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=rule)

    code = refusal(lambda: ec2.delete_security_group(GroupId=ground.group))
    ec2.delete_security_group(GroupId=other)
    ec2.delete_security_group(GroupId=ground.group)

    assert code == "DependencyViolation"


def test_a_group_that_names_itself_goes(ground: Ground) -> None:
    """Only the rules of others count."""
    rule = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": ground.group}]}]
    ground.ec2.authorize_security_group_ingress(GroupId=ground.group, IpPermissions=rule)

    ground.ec2.delete_security_group(GroupId=ground.group)


def test_a_network_goes_last(ground: Ground) -> None:
    """Gateway, groups, tables and subnets go before it."""
    ec2 = ground.ec2
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=ground.vpc)
    table = ec2.create_route_table(VpcId=ground.vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=ground.subnet)
    in_use = refusal(lambda: ec2.delete_route_table(RouteTableId=table))
    steps: list[Callable[[], object]] = [
        lambda: ec2.delete_subnet(SubnetId=ground.subnet),
        lambda: ec2.delete_route_table(RouteTableId=table),
        lambda: ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=ground.vpc),
        lambda: ec2.delete_security_group(GroupId=ground.group),
    ]
    codes = []
    for step in steps:
        codes.append(refusal(lambda: ec2.delete_vpc(VpcId=ground.vpc)))
        step()
    ec2.delete_vpc(VpcId=ground.vpc)

    assert [in_use, *codes] == ["DependencyViolation"] * 5


def test_a_gateway_stays_while_something_is_public(ground: Ground) -> None:
    """Public addresses inside have to go before the gateway is detached."""
    ec2 = ground.ec2
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=ground.vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=ground.subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]

    def detach() -> None:
        ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=ground.vpc)

    code = refusal(detach)
    ec2.delete_nat_gateway(NatGatewayId=nat)
    for _ in range(2):
        ec2.describe_nat_gateways()
    detach()

    assert code == "DependencyViolation"


def test_a_balancer_keeps_things_busy_for_a_while(bed: Bed, ground: Ground) -> None:
    """Its interfaces linger after it was deleted."""
    bed.linger = Pace(polls=1)
    arn = ground.balancer()
    while_it_stands = refusal(lambda: ground.ec2.delete_subnet(SubnetId=ground.subnet))
    ground.elbv2.delete_load_balancer(LoadBalancerArn=arn)
    just_after = refusal(lambda: ground.ec2.delete_subnet(SubnetId=ground.subnet))
    ground.elbv2.describe_load_balancers()
    ground.ec2.delete_subnet(SubnetId=ground.subnet)

    assert (while_it_stands, just_after) == ("DependencyViolation", "DependencyViolation")


def test_a_balancer_keeps_its_addresses(ground: Ground) -> None:
    """An elastic address that a balancer has is not released."""
    address = ground.ec2.allocate_address(Domain="vpc")["AllocationId"]
    mappings = [{"SubnetId": ground.subnet, "AllocationId": address}]
    made = ground.elbv2.create_load_balancer(Name="api", Type="network", SubnetMappings=mappings)

    code = refusal(lambda: ground.ec2.release_address(AllocationId=address))
    ground.elbv2.delete_load_balancer(LoadBalancerArn=made["LoadBalancers"][0]["LoadBalancerArn"])
    ground.ec2.release_address(AllocationId=address)

    assert code == "InvalidIPAddress.InUse"


def test_a_target_group_in_use_stays(ground: Ground) -> None:
    """Its listener goes first."""
    balancer, group = ground.balancer(), ground.target_group()
    listener = ground.listener(balancer, group)

    code = refusal(lambda: ground.elbv2.delete_target_group(TargetGroupArn=group))
    ground.elbv2.delete_listener(ListenerArn=listener)
    ground.elbv2.delete_target_group(TargetGroupArn=group)

    assert code == "ResourceInUse"


def test_a_volume_in_use_stays_and_is_detached_without_naming_its_instance(ground: Ground) -> None:
    """moto crashes where the instance is not named."""
    instance = ground.running()
    (volume,) = ground.ec2.describe_volumes()["Volumes"]

    code = refusal(lambda: ground.ec2.delete_volume(VolumeId=volume["VolumeId"]))
    detached = ground.ec2.detach_volume(VolumeId=volume["VolumeId"])

    assert code == "VolumeInUse"
    assert detached["InstanceId"] == instance


def test_a_snapshot_of_an_image_stays(ground: Ground) -> None:
    """The image goes first."""
    ec2 = ground.ec2
    volume = ec2.create_volume(AvailabilityZone="eu-west-1a", Size=1)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.describe_snapshots()
    mapping = [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}]
    image = ec2.register_image(Name="mine", RootDeviceName="/dev/xvda", BlockDeviceMappings=mapping)["ImageId"]

    code = refusal(lambda: ec2.delete_snapshot(SnapshotId=snapshot))
    ec2.deregister_image(ImageId=image)
    ec2.delete_snapshot(SnapshotId=snapshot)

    assert code == "InvalidSnapshot.InUse"
