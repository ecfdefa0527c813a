"""What moto lacks or forgets: snapshot imports, placement groups, all that an image is registered with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, field
from beds.aws.rules import Refusal, after, before, instead
from moto.backends import get_backend

if TYPE_CHECKING:
    from beds.aws.bed import Bed
    from beds.aws.calls import Call

_DEFAULT_GIB = 8


@define
class ImportTask:
    """A disk image on its way from a bucket into a snapshot."""

    id: str
    snapshot: str
    url: str
    size: int
    tags: list[dict[str, str]] = field(factory=list)
    status: str = "active"

    def view(self) -> dict[str, Any]:
        detail = {
            "Status": self.status,
            "Progress": "19",
            "Format": "RAW",
            "Url": self.url,
            "DiskImageSize": self.size,
        }
        if self.status == "completed":
            detail = {**detail, "SnapshotId": self.snapshot, "Progress": "100"}
        return {"ImportTaskId": self.id, "SnapshotTaskDetail": detail, "Tags": self.tags}


@define
class PlacementGroup:
    """A placement group; it takes no time and costs nothing."""

    id: str
    name: str
    strategy: str
    tags: list[dict[str, str]] = field(factory=list)

    def view(self) -> dict[str, Any]:
        return {
            "GroupId": self.id,
            "GroupName": self.name,
            "Strategy": self.strategy,
            "State": "available",
            "Tags": self.tags,
        }


@before("ebs:PutSnapshotBlock", "ebs:CompleteSnapshot")
def _snapshot_is_there(bed: Bed, call: Call) -> None:
    id_ = next((part for part in str(call.environ["PATH_INFO"]).split("/") if part.startswith("snap-")), "")
    if id_ not in bed.ec2(call).snapshots:
        raise Refusal("ResourceNotFoundException", f"The snapshot '{id_}' does not exist.", 404)


@instead("ec2:ImportSnapshot")
def _import_snapshot(bed: Bed, call: Call) -> Mapping[str, Any]:
    container = call.params.get("DiskContainer", {})
    place = container.get("UserBucket", {})
    url = container.get("Url") or f"s3://{place.get('S3Bucket')}/{place.get('S3Key')}"
    size = bed.object_size(call, place.get("S3Bucket", ""), place.get("S3Key", ""))
    if size is None:
        raise Refusal("InvalidParameter", "The specified S3 object could not be found or read")
    ec2 = bed.ec2(call)
    volume = ec2.create_volume(size=max(1, -(-size // 2**30)), zone_name=f"{call.region}a")
    snapshot = ec2.create_snapshot(volume.id, f"Created by AWS-VMImport for import-snap of {url}", call.account)
    ec2.delete_volume(volume.id)
    snapshot.status = "pending"
    task = ImportTask(bed.new_id("import-snap"), snapshot.id, url, size, _tags(call, "import-snapshot-task"))
    bed.import_tasks[task.id] = task

    def end() -> None:
        task.status = snapshot.status = "completed"

    bed.holds.begin(task.id, call, "ec2:DescribeImportSnapshotTasks", bed.pace, end)
    return task.view()


@instead("ec2:DescribeImportSnapshotTasks")
def _describe_import_tasks(bed: Bed, call: Call) -> Mapping[str, Any]:
    wanted = call.params.get("ImportTaskIds")
    if missing := [id_ for id_ in wanted or () if id_ not in bed.import_tasks]:
        raise Refusal("InvalidConversionTaskId.Malformed", f"The import task {missing[0]} does not exist")
    found = [task for task in bed.import_tasks.values() if wanted is None or task.id in wanted]
    return {"ImportSnapshotTasks": [task.view() for task in found if _passes(task.tags, call)]}


@instead("ec2:CreatePlacementGroup")
def _create_placement_group(bed: Bed, call: Call) -> Mapping[str, Any]:
    name = call.params["GroupName"]
    if (call.account, call.region, name) in bed.placement_groups:
        raise Refusal("InvalidPlacementGroup.Duplicate", f"The placement group '{name}' already exists.")
    strategy = call.params.get("Strategy", "cluster")
    group = PlacementGroup(bed.new_id("pg"), name, strategy, _tags(call, "placement-group"))
    bed.placement_groups[call.account, call.region, name] = group
    return {"PlacementGroup": group.view()}


@instead("ec2:DescribePlacementGroups")
def _describe_placement_groups(bed: Bed, call: Call) -> Mapping[str, Any]:
    groups = [group for (*place, _), group in bed.placement_groups.items() if place == [call.account, call.region]]
    names, ids = call.params.get("GroupNames"), call.params.get("GroupIds")
    if missing := [name for name in names or () if name not in {group.name for group in groups}]:
        raise Refusal("InvalidPlacementGroup.Unknown", f"The Placement Group '{missing[0]}' is unknown.")
    found = [g for g in groups if (names is None or g.name in names) and (ids is None or g.id in ids)]
    named = [f for f in call.params.get("Filters", []) if f["Name"] == "group-name"]
    found = [g for g in found if all(g.name in f["Values"] for f in named)]
    return {"PlacementGroups": [group.view() for group in found if _passes(group.tags, call)]}


@instead("ec2:DeletePlacementGroup")
def _delete_placement_group(bed: Bed, call: Call) -> Mapping[str, Any]:
    name = call.params["GroupName"]
    if (call.account, call.region, name) not in bed.placement_groups:
        raise Refusal("InvalidPlacementGroup.Unknown", f"The Placement Group '{name}' is unknown.")
    if any(i.placement.group_name == name for i in bed.ec2(call).all_instances() if i.state != "terminated"):
        raise Refusal("InvalidPlacementGroup.InUse", f"The placement group '{name}' is in use.")
    del bed.placement_groups[call.account, call.region, name]
    return {}


@before("ec2:RunInstances")
def _root_disk_is_as_large_as_the_image(bed: Bed, call: Call) -> None:
    """moto wants a size of every disk, and makes no root disk where others are named."""
    image = bed.ec2(call).amis.get(call.params.get("ImageId"))
    if image is None or "BlockDeviceMappings" not in call.params:
        return
    size = bed.image_sizes.get(image.id, _DEFAULT_GIB)
    mappings = call.params["BlockDeviceMappings"]
    for number, mapping in enumerate(mappings, 1):
        if mapping["DeviceName"] == image.root_device_name and "VolumeSize" not in mapping.get("Ebs", {}):
            bed.add_to_form(call, **{f"BlockDeviceMapping.{number}.Ebs.VolumeSize": str(size)})
    if image.root_device_name not in {mapping["DeviceName"] for mapping in mappings}:
        prefix = f"BlockDeviceMapping.{len(mappings) + 1}"
        bed.add_to_form(
            call,
            **{f"{prefix}.DeviceName": image.root_device_name, f"{prefix}.Ebs.VolumeSize": str(size)},
            **{f"{prefix}.Ebs.DeleteOnTermination": "true"},
        )


@after("ec2:RunInstances")
def _placed(bed: Bed, call: Call, result: dict[str, Any]) -> None:
    """moto forgets placement and groups, and lets interfaces and root disks outlive their instance."""
    image = bed.ec2(call).amis.get(call.params.get("ImageId"))
    asked = {m["DeviceName"]: m.get("Ebs", {}) for m in call.params.get("BlockDeviceMappings", [])}
    ours = [nic for nic in call.params.get("NetworkInterfaces", []) if nic.get("NetworkInterfaceId")]
    for instance in bed.instances(call, [made["InstanceId"] for made in result["Instances"]]):
        if not instance.security_groups:
            instance.security_groups = [*instance.nics[0]._group_set]
        instance.placement.group_name = call.params.get("Placement", {}).get("GroupName", "")
        for nic in instance.nics.values():
            nic.delete_on_termination = nic.delete_on_termination or not ours
        root = image.root_device_name if image is not None else "/dev/sda1"
        for device, block in instance.block_device_mapping.items():
            if device == root and "DeleteOnTermination" not in asked.get(device, {}):
                block.delete_on_termination = True


@after("ec2:ModifyInstanceAttribute")
def _groups_of_its_interface(bed: Bed, call: Call, result: dict[str, Any]) -> None:
    """The groups of an instance are those of its first interface."""
    for instance in bed.instances(call, [call.params["InstanceId"]]) if call.params.get("Groups") else ():
        instance.nics[0]._group_set = [*instance.security_groups]


@after("ec2:RegisterImage")
def _image_keeps_its_input(bed: Bed, call: Call, result: dict[str, Any]) -> None:
    image = bed.ec2(call).amis[result["ImageId"]]
    image.architecture = call.params.get("Architecture", "i386")
    image.root_device_name = call.params.get("RootDeviceName", "/dev/sda1")
    image.virtualization_type = call.params.get("VirtualizationType", "paravirtual")
    image.root_device_type, image.boot_mode = "ebs", call.params.get("BootMode")
    image.image_location = f"{call.account}/{image.name}"
    image.add_tags({tag["Key"]: tag["Value"] for tag in _tags(call, "image")})
    bed.registered[image.id] = dict(call.params)
    bed.ec2(call).snapshots.pop(image.ebs_snapshot.id, None)  # the one that moto makes up
    for mapping in call.params.get("BlockDeviceMappings", []):
        snapshot = bed.ec2(call).snapshots.get(mapping.get("Ebs", {}).get("SnapshotId"))
        if snapshot is not None:
            image.ebs_snapshot, snapshot.from_ami = snapshot, image.id
            bed.image_sizes[image.id] = mapping["Ebs"].get("VolumeSize", snapshot.volume.size)


@before("ec2:RegisterImage")
def _its_snapshot_is_ready(bed: Bed, call: Call) -> None:
    for mapping in call.params.get("BlockDeviceMappings", []):
        id_ = mapping.get("Ebs", {}).get("SnapshotId")
        snapshot = bed.ec2(call).snapshots.get(id_)
        if id_ and snapshot is None:
            raise Refusal("InvalidSnapshot.NotFound", f"The snapshot '{id_}' does not exist.")
        if snapshot is not None and snapshot.status != "completed":
            raise Refusal("InvalidSnapshot.Pending", f"The snapshot '{id_}' is not completed.")


@after("ec2:DescribeImages")
def _images_tell_their_input(bed: Bed, call: Call, result: dict[str, Any]) -> Mapping[str, Any] | None:
    if not any(image["ImageId"] in bed.registered for image in result.get("Images", [])):
        return None
    return {**result, "Images": [_told(bed, image) for image in result["Images"]]}


def _told(bed: Bed, image: dict[str, Any]) -> dict[str, Any]:
    asked = bed.registered.get(image["ImageId"], {})
    kept = {
        name: asked[name] for name in ("EnaSupport", "ImdsSupport", "TpmSupport", "SriovNetSupport") if name in asked
    }
    if asked.get("BlockDeviceMappings"):
        kept["BlockDeviceMappings"] = asked["BlockDeviceMappings"]
    return {**image, **kept}


@instead("elbv2:CreateLoadBalancer")
def _the_same_balancer_again(bed: Bed, call: Call) -> Mapping[str, Any] | None:
    """The very same request again gives the balancer there is, where moto makes another one."""
    for balancer in bed.elbv2(call).load_balancers.values():
        if balancer.name == call.params["Name"]:
            answer = bed.ask_moto(call, Action="DescribeLoadBalancers", **{"LoadBalancerArns.member.1": balancer.arn})
            return {"LoadBalancers": answer["LoadBalancers"]}
    return None


@after("elbv2:CreateLoadBalancer")
def _balancer_request_is_kept(bed: Bed, call: Call, result: dict[str, Any]) -> None:
    bed.balancer_requests.setdefault(result["LoadBalancers"][0]["LoadBalancerArn"], dict(call.params))


@before("ec2:DetachVolume")
def _instance_is_found(bed: Bed, call: Call) -> None:
    """moto crashes where the instance is not named."""
    volume = bed.ec2(call).volumes.get(call.params["VolumeId"])
    if volume is not None and volume.attachment is None:
        raise Refusal("IncorrectState", f"Volume '{volume.id}' is in the 'available' state.")
    if volume is not None and not call.params.get("InstanceId"):
        bed.add_to_form(call, InstanceId=volume.attachment.instance.id, Device=volume.attachment.device)


@instead("ec2:CreateTags", "ec2:DeleteTags")
def _stubs_have_tags_too(bed: Bed, call: Call) -> Mapping[str, Any] | None:
    """Tags of what moto does not know are kept here."""
    things = [*bed.placement_groups.values(), *bed.import_tasks.values()]
    ours = [thing for thing in things if thing.id in call.params["Resources"]]
    if not ours:
        return None
    given = {tag["Key"]: tag.get("Value", "") for tag in call.params.get("Tags", [])}
    for thing in ours:
        kept = [tag for tag in thing.tags if tag["Key"] not in given]
        new = [{"Key": key, "Value": value} for key, value in given.items()]
        thing.tags[:] = kept + new if call.action == "CreateTags" else kept
    return {}


@after("s3:DeleteBucket")
def _a_bucket_takes_its_tags_with_it(bed: Bed, call: Call, result: dict[str, Any]) -> None:
    """moto gives them to the next bucket of that name."""
    name = str(call.environ["PATH_INFO"]).strip("/")
    get_backend("s3")[call.account]["aws"].tagger.delete_all_tags_for_resource(f"arn:aws:s3:::{name}")


def _tags(call: Call, type_: str) -> list[dict[str, str]]:
    return [
        tag
        for spec in call.params.get("TagSpecifications", [])
        if spec.get("ResourceType") == type_
        for tag in spec.get("Tags", [])
    ]


def _passes(tags: list[dict[str, str]], call: Call) -> bool:
    """Whether tags pass the filters by tag of a call."""
    told = {tag["Key"]: tag["Value"] for tag in tags}
    for one in call.params.get("Filters", []):
        name, values = one["Name"], one.get("Values", [])
        if name.startswith("tag:") and told.get(name.removeprefix("tag:")) not in values:
            return False
        if name == "tag-key" and not set(values) & set(told):
            return False
    return True
