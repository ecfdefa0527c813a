"""States that last, and objects that do not show yet."""

from __future__ import annotations

from typing import Any

from beds.aws.bed import Bed
from beds.aws.ground import Ground, refusal
from beds.aws.holds import Pace


def test_an_instance_is_pending_for_a_while(bed: Bed, ground: Ground) -> None:
    """As many looks as the pace says see it pending, and filters by state agree with what is shown."""
    bed.pace = Pace(polls=2)
    instance = ground.run()
    by_state = ground.instances(Filters=[{"Name": "instance-state-name", "Values": ["running"]}])
    seen = [ground.state(instance) for _ in range(2)]

    assert by_state == []
    assert seen == ["pending", "running"]


def test_an_instance_can_take_time_instead_of_looks(bed: Bed, ground: Ground) -> None:
    """With a pace in seconds, looking does not help."""
    clock = [0.0]
    bed.now = lambda: clock[0]
    bed.pace = Pace(seconds=30)
    instance = ground.run()
    early = [ground.state(instance) for _ in range(3)]
    clock[0] = 31

    assert early == ["pending"] * 3
    assert ground.state(instance) == "running"


def test_an_instance_goes_slowly(ground: Ground) -> None:
    """It shuts down before it is terminated, and keeps its subnet busy until then."""
    instance = ground.running()
    ground.ec2.terminate_instances(InstanceIds=[instance])
    busy = refusal(lambda: ground.ec2.delete_subnet(SubnetId=ground.subnet))
    seen = [ground.state(instance) for _ in range(2)]
    ground.ec2.delete_subnet(SubnetId=ground.subnet)

    assert busy == "DependencyViolation"
    assert seen == ["shutting-down", "terminated"]


def test_its_root_disk_and_its_interface_go_with_it(ground: Ground) -> None:
    """moto would leave the interface, and a root disk that says nothing of its end."""
    mappings = [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 20}}]
    instance = ground.running(BlockDeviceMappings=mappings)
    ground.ec2.terminate_instances(InstanceIds=[instance])

    assert ground.ec2.describe_volumes()["Volumes"] == []
    assert ground.ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_a_stopped_instance_stops_slowly_and_a_pending_one_not_at_all(ground: Ground) -> None:
    instance = ground.run()
    code = refusal(lambda: ground.ec2.stop_instances(InstanceIds=[instance]))
    while ground.state(instance) != "running":
        pass
    ground.ec2.stop_instances(InstanceIds=[instance])

    assert code == "IncorrectInstanceState"
    assert [ground.state(instance) for _ in range(2)] == ["stopping", "stopped"]


def test_a_nat_gateway_comes_and_goes_slowly(ground: Ground) -> None:
    """Its address is free only once it is gone."""
    ec2 = ground.ec2
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=ground.subnet, AllocationId=address)["NatGateway"]

    def state() -> str:
        return str(ec2.describe_nat_gateways(NatGatewayIds=[made["NatGatewayId"]])["NatGateways"][0]["State"])

    coming = [made["State"], state(), state()]
    ec2.delete_nat_gateway(NatGatewayId=made["NatGatewayId"])
    busy = refusal(lambda: ec2.release_address(AllocationId=address))
    going = [state(), state()]
    ec2.release_address(AllocationId=address)

    assert coming == ["pending", "pending", "available"]
    assert busy == "InvalidIPAddress.InUse"
    assert going == ["deleting", "deleted"]
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_a_balancer_is_provisioned_slowly(ground: Ground) -> None:
    """Looks see it provisioning, then active."""
    arn = ground.balancer()

    def state() -> str:
        found = ground.elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
        return str(found[0]["State"]["Code"])

    assert [state(), state()] == ["provisioning", "active"]


def test_volumes_snapshots_and_images_take_their_time(ground: Ground) -> None:
    """Each has a state before the one it is made for."""
    ec2 = ground.ec2
    volume = ec2.create_volume(AvailabilityZone="eu-west-1a", Size=1)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]

    volumes = [ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] for _ in range(2)]
    snapshots = [ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"] for _ in range(2)]
    mapping = [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}]
    image = ec2.register_image(Name="mine", RootDeviceName="/dev/xvda", BlockDeviceMappings=mapping)["ImageId"]
    images = [ec2.describe_images(ImageIds=[image])["Images"][0]["State"] for _ in range(2)]

    assert volumes == ["creating", "available"]
    assert snapshots == ["pending", "completed"]
    assert images == ["pending", "available"]


def test_what_is_new_does_not_show_yet(bed: Bed, ground: Ground) -> None:
    """By its id it is not found, in lists it is missing; it shows once it was looked for often enough."""
    bed.unseen = Pace(polls=2)
    instance = ground.run(TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "k", "Value": "v"}]}])
    by_id = refusal(lambda: ground.instances(InstanceIds=[instance]))
    tagged = ground.instances(Filters=[{"Name": "tag:k", "Values": ["v"]}])
    later = ground.instances()

    assert by_id == "InvalidInstanceID.NotFound"
    assert tagged == []
    assert [one["InstanceId"] for one in later] == [instance]


def test_what_is_new_cannot_be_used_yet(bed: Bed, ground: Ground) -> None:
    """A call that names something that does not show is told that there is no such thing."""
    bed.unseen = Pace(polls=1)
    vpc = ground.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]

    def make() -> Any:
        return ground.ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")

    early = refusal(make)
    hidden = [one["VpcId"] for one in ground.ec2.describe_vpcs()["Vpcs"]]
    make()

    assert early == "InvalidVpcID.NotFound"
    assert vpc not in hidden
    assert ground.vpc in hidden


def test_what_does_not_show_hides_nothing_else(bed: Bed, ground: Ground) -> None:
    """A new group hides neither the rules of others nor what belongs to the same network."""
    bed.unseen = Pace(polls=5)
    made = ground.ec2.create_security_group(GroupName="new", Description="new", VpcId=ground.vpc)["GroupId"]
    groups = [one["GroupId"] for one in ground.ec2.describe_security_groups()["SecurityGroups"]]
    subnets = [one["SubnetId"] for one in ground.ec2.describe_subnets()["Subnets"]]

    assert made not in groups
    assert ground.group in groups
    assert ground.subnet in subnets


def test_what_nobody_looks_for_shows_in_time(bed: Bed, ground: Ground) -> None:
    """With looks and seconds, whichever comes first."""
    clock = [0.0]
    bed.now = lambda: clock[0]
    bed.unseen = Pace(polls=9, seconds=2)
    vpc = ground.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    early = refusal(lambda: ground.ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24"))
    clock[0] = 2

    assert early == "InvalidVpcID.NotFound"
    assert ground.ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")
