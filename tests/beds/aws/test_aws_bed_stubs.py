"""What moto has not, or forgets."""

from __future__ import annotations

from typing import Any

from beds.aws.bed import Bed
from beds.aws.ground import Ground, refusal

TAGS = [{"Key": "owner", "Value": "me"}]


def _imported(bed: Bed, ec2: Any) -> str:
    """A snapshot from an object in a bucket; gives the id of the task."""
    s3 = bed.client("s3")
    s3.create_bucket(Bucket="images", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="images", Key="talos.raw", Body=b"\0" * 1000)
    return str(
        ec2.import_snapshot(
            DiskContainer={"Format": "RAW", "UserBucket": {"S3Bucket": "images", "S3Key": "talos.raw"}},
            TagSpecifications=[{"ResourceType": "import-snapshot-task", "Tags": TAGS}],
            ClientToken="import",
        )["ImportTaskId"]
    )


def test_a_snapshot_is_imported_from_a_bucket(bed: Bed, ec2: Any) -> None:
    """The task goes on for a while, then names a snapshot; the same token gives the same task."""
    task = _imported(bed, ec2)
    again = ec2.import_snapshot(
        DiskContainer={"Format": "RAW", "UserBucket": {"S3Bucket": "images", "S3Key": "talos.raw"}},
        TagSpecifications=[{"ResourceType": "import-snapshot-task", "Tags": TAGS}],
        ClientToken="import",
    )

    def look() -> Any:
        return ec2.describe_import_snapshot_tasks(ImportTaskIds=[task])["ImportSnapshotTasks"][0]

    early, late = look(), look()

    assert again["ImportTaskId"] == task
    assert (early["SnapshotTaskDetail"]["Status"], early["Tags"]) == ("active", TAGS)
    assert late["SnapshotTaskDetail"]["Status"] == "completed"
    snapshot = late["SnapshotTaskDetail"]["SnapshotId"]
    assert ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"] == "completed"


def test_an_import_needs_its_object(ec2: Any) -> None:
    """A bucket or an object that is not there is told."""

    def work() -> Any:
        return ec2.import_snapshot(DiskContainer={"UserBucket": {"S3Bucket": "none", "S3Key": "none"}})

    assert refusal(work) == "InvalidParameter"


def test_an_image_keeps_what_it_was_registered_with(bed: Bed, ec2: Any) -> None:
    """moto forgets all of it but the name."""
    task = _imported(bed, ec2)
    bed.settle()
    found = ec2.describe_import_snapshot_tasks(ImportTaskIds=[task])["ImportSnapshotTasks"][0]
    mapping = {
        "DeviceName": "/dev/xvda",
        "Ebs": {
            "SnapshotId": found["SnapshotTaskDetail"]["SnapshotId"],
            "VolumeSize": 10,
            "VolumeType": "gp3",
            "DeleteOnTermination": True,
        },
    }
    asked = {
        "Name": "talos-mine",
        "Architecture": "arm64",
        "RootDeviceName": "/dev/xvda",
        "VirtualizationType": "hvm",
        "EnaSupport": True,
        "BootMode": "uefi",
        "ImdsSupport": "v2.0",
    }
    made = ec2.register_image(
        **asked,
        BlockDeviceMappings=[mapping],
        TagSpecifications=[{"ResourceType": "image", "Tags": TAGS}],
    )
    image = ec2.describe_images(ImageIds=[made["ImageId"]])["Images"][0]

    assert {name: image[name] for name in asked} == asked
    assert (image["Tags"], image["RootDeviceType"]) == (TAGS, "ebs")
    assert image["BlockDeviceMappings"] == [mapping]
    assert len(ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]) == 1


def test_placement_groups_come_and_go(ground: Ground) -> None:
    """They are found by name and tag, hold instances, and cannot be deleted meanwhile."""
    ec2 = ground.ec2
    spec = [{"ResourceType": "placement-group", "Tags": TAGS}]
    made = ec2.create_placement_group(GroupName="one", Strategy="spread", TagSpecifications=spec)["PlacementGroup"]
    ec2.create_placement_group(GroupName="two", Strategy="cluster")
    tagged = ec2.describe_placement_groups(Filters=[{"Name": "tag:owner", "Values": ["me"]}])["PlacementGroups"]
    taken = refusal(lambda: ec2.create_placement_group(GroupName="one", Strategy="spread"))
    instance = ground.running(Placement={"GroupName": "one"})
    in_use = refusal(lambda: ec2.delete_placement_group(GroupName="one"))
    placed = ground.instances(InstanceIds=[instance])[0]["Placement"]["GroupName"]
    ec2.create_tags(Resources=[made["GroupId"]], Tags=[{"Key": "more", "Value": "tags"}])
    tags = ec2.describe_placement_groups(GroupIds=[made["GroupId"]])["PlacementGroups"][0]["Tags"]
    ec2.delete_placement_group(GroupName="two")

    assert (taken, in_use) == ("InvalidPlacementGroup.Duplicate", "InvalidPlacementGroup.InUse")
    assert [group["GroupName"] for group in tagged] == ["one"]
    assert placed == "one"
    assert {tag["Key"] for tag in tags} == {"owner", "more"}
    assert [group["GroupName"] for group in ec2.describe_placement_groups()["PlacementGroups"]] == ["one"]


def test_a_root_disk_is_as_large_as_its_image_and_always_there(ground: Ground) -> None:
    """Where the launch names no size, and where it names other disks only."""
    more = {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 3}}
    for mappings in ([{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True}}], [more]):
        ground.running(BlockDeviceMappings=mappings)
    found = ground.ec2.describe_volumes()["Volumes"]
    told = sorted((volume["Attachments"][0]["Device"], volume["Size"], volume["Encrypted"]) for volume in found)

    assert told == [("/dev/sdf", 3, False), ("/dev/xvda", 8, False), ("/dev/xvda", 8, True)]


def test_an_instance_has_the_groups_of_its_interface(ground: Ground) -> None:
    """Named with the interface or changed later, the instance tells them, and they stay in use."""
    other = ground.ec2.create_security_group(GroupName="other", Description="other", VpcId=ground.vpc)["GroupId"]
    interface = {"DeviceIndex": 0, "SubnetId": ground.subnet, "Groups": [ground.group]}
    made = ground.ec2.run_instances(
        ImageId=ground.image, InstanceType="m7i.large", MinCount=1, MaxCount=1, NetworkInterfaces=[interface]
    )
    instance = made["Instances"][0]["InstanceId"]

    def groups() -> list[str]:
        return [group["GroupId"] for group in ground.instances(InstanceIds=[instance])[0]["SecurityGroups"]]

    first = groups()
    ground.ec2.modify_instance_attribute(InstanceId=instance, Groups=[other])
    ground.ec2.delete_security_group(GroupId=ground.group)

    assert (first, groups()) == ([ground.group], [other])
    assert refusal(lambda: ground.ec2.delete_security_group(GroupId=other)) == "DependencyViolation"
