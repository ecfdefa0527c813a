"""All answers have the shape that the service models give them."""

from __future__ import annotations

from attrs import evolve
from beds.aws.bed import Bed, Record
from beds.aws.faults import Fault
from beds.aws.ground import Ground
from beds.aws.holds import Pace
from beds.aws.judge import complaints
from beds.aws.rules import AFTER, BEFORE, INSTEAD
from botocore.exceptions import ClientError

OURS = {*INSTEAD, *AFTER}
"""Actions whose answers the bed writes itself, in whole or in part."""
FAULTS: tuple[Fault, ...] = ("throttled", "server", "denied", "capacity", "quota", "conflict")


def _tour(bed: Bed) -> None:
    """Every action that the bed answers itself or adds to, from beginning to end."""
    ground = Ground.prepare(bed)
    ec2, elbv2 = ground.ec2, ground.elbv2
    ec2.create_placement_group(GroupName="one", Strategy="spread")
    instance = ground.running(Placement={"GroupName": "one"}, ClientToken="one")
    ec2.create_tags(Resources=[instance], Tags=[{"Key": "a", "Value": "b"}])
    ec2.modify_instance_attribute(InstanceId=instance, Groups=[ground.group])
    _profiles(bed, instance)
    ec2.describe_placement_groups()
    group, balancer = ground.target_group(), ground.balancer()
    ground.listener(balancer, group)
    ground.balancer()
    elbv2.describe_load_balancers()
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    elbv2.describe_target_health(TargetGroupArn=group)
    elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    elbv2.describe_target_health(TargetGroupArn=group, Targets=[{"Id": instance}])
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=ground.subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    ec2.describe_nat_gateways()
    ec2.delete_nat_gateway(NatGatewayId=nat)
    _images(bed, ground)
    ec2.stop_instances(InstanceIds=[instance])
    bed.settle()
    ec2.start_instances(InstanceIds=[instance])
    ec2.terminate_instances(InstanceIds=[instance])
    bed.settle()
    elbv2.delete_load_balancer(LoadBalancerArn=balancer)
    ec2.delete_placement_group(GroupName="one")
    ec2.delete_security_group(GroupId=ground.group)
    bed.unseen = Pace(polls=9)
    ground.ec2.create_vpc(CidrBlock="10.1.0.0/16")
    for look in (ec2.describe_vpcs, ec2.describe_instances, ec2.describe_security_groups, ec2.describe_addresses):
        look()


def _profiles(bed: Bed, instance: str) -> None:
    ec2, iam = bed.client("ec2"), bed.client("iam")
    first, second = (
        {"Arn": iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Arn"], "Name": name}
        for name in ("first", "second")
    )
    made = ec2.associate_iam_instance_profile(InstanceId=instance, IamInstanceProfile=first)
    id_ = made["IamInstanceProfileAssociation"]["AssociationId"]
    ec2.replace_iam_instance_profile_association(AssociationId=id_, IamInstanceProfile=second)


def _images(bed: Bed, ground: Ground) -> None:
    ec2, s3 = ground.ec2, bed.client("s3")
    s3.create_bucket(Bucket="images", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="images", Key="disk", Body=b"disk")
    ec2.import_snapshot(DiskContainer={"UserBucket": {"S3Bucket": "images", "S3Key": "disk"}})
    ec2.describe_import_snapshot_tasks()
    s3.delete_object(Bucket="images", Key="disk")
    s3.delete_bucket(Bucket="images")
    volume = ec2.create_volume(AvailabilityZone="eu-west-1a", Size=1)["VolumeId"]
    ec2.describe_volumes()
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    bed.settle()
    mapping = [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}]
    image = ec2.register_image(Name="mine", RootDeviceName="/dev/xvda", BlockDeviceMappings=mapping)["ImageId"]
    ec2.describe_images(ImageIds=[image])
    ec2.deregister_image(ImageId=image)


def test_answers_have_the_shape_of_the_model(bed: Bed) -> None:
    """No answer of the bed's own, and none that it changed, has anything that its model does not know or lacks."""
    bed.keeps_bodies = True
    _tour(bed)
    judged = [record for record in bed.records if record.call.name in OURS]

    assert [text for record in judged for text in complaints(record)] == []
    assert {record.call.name for record in judged} >= OURS - {
        "ec2:CopyImage",
        "ec2:CreateImage",
        "ec2:DeleteTags",
    } - {"ec2:DeleteSubnet"}


def test_answers_with_hidden_objects_have_it_too(bed: Bed) -> None:
    """An answer from which something was left out is still a whole one."""
    bed.keeps_bodies = True
    _tour(bed)
    judged = [record for record in bed.records[-4:] if record.call.reads]

    assert len(judged) == 4
    assert [text for record in judged for text in complaints(record)] == []


def test_errors_have_codes_that_their_services_know(bed: Bed) -> None:
    """Of each service whose model has errors, the bed's faults are among them."""
    bed.keeps_bodies = True
    clients = {name: bed.client(name) for name in ("ec2", "elbv2", "iam", "route53")}
    looks = {
        "ec2": clients["ec2"].describe_vpcs,
        "elbv2": clients["elbv2"].describe_load_balancers,
        "iam": clients["iam"].list_roles,
        "route53": clients["route53"].list_hosted_zones,
    }
    for service, look in looks.items():
        for fault in FAULTS:
            if fault == "capacity" and service != "ec2":
                continue
            bed.faults.script(fault)
            try:
                look()
            except ClientError:
                continue

    assert len(bed.records) == 4 * len(FAULTS) - 3
    assert [text for record in bed.records for text in complaints(record)] == []


def test_the_judge_sees_what_is_wrong(bed: Bed) -> None:
    """An element that the model has not, a value that it does not allow, and a code that it does not know."""
    bed.keeps_bodies = True
    ground = Ground.prepare(bed)
    ground.running()
    look = bed.records[-1]
    bed.faults.script("conflict")
    try:
        ground.elbv2.describe_load_balancers()
    except ClientError:
        error = bed.records[-1]

    def spoiled(record: Record, old: bytes, new: bytes) -> list[str]:
        assert old in record.body
        return complaints(evolve(record, body=record.body.replace(old, new)))

    assert spoiled(look, b"<imageId>", b"<picture>x</picture><imageId>") != []
    assert spoiled(look, b"<name>running</name>", b"<name>walking</name>") != []
    assert spoiled(error, b"ResourceInUse", b"Bother") != []
    assert complaints(look) == complaints(error) == []


def test_every_action_with_rules_is_one_of_its_service(bed: Bed) -> None:
    """A rule for an action that there is not would never bite."""
    names = {*BEFORE, *INSTEAD, *AFTER}
    known = {
        f"{service}:{action}"
        for service in ("ebs", "ec2", "elbv2", "route53", "s3")
        for action in bed.client(service).meta.service_model.operation_names
    }

    assert {name for name in names if BEFORE.get(name) or AFTER.get(name) or name in INSTEAD} - known == set()
