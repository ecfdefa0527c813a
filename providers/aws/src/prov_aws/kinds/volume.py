"""`aws.volume`: a disk that outlives the machines it is attached to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import field, frozen

from prov_aws.client import Aws
from prov_aws.jobs import asked, said
from prov_aws.kinds.tagged import Tagged
from prov_aws.made import Family, Thing
from prov_aws.names import short_zone, whole_zone
from provisioner.sdk import Fatal, FieldChange, Job, Value, output, prop


@frozen(kw_only=True)
class VolumeProps:
    """A disk in a `zone`; `size_gib` can only grow. `iops` and `throughput` are the type's own where they are 0.

    encrypted  an account may encrypt all of its disks; then one is, also where this is false
    key        id, alias or ARN of a key of KMS; the account's own where it is empty
    snapshot   what it begins with
    """

    name: str = prop()
    zone: str = prop(immutable=True)
    size_gib: int = prop()
    type: str = "gp3"
    iops: int = 0
    throughput: int = 0
    encrypted: bool = prop(immutable=True, default=True)
    key: str = prop(immutable=True, readable=False, default="")
    snapshot: str = prop(birth=True, readable=False, default="")
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class VolumeOutputs:
    """The `id`."""

    id: str = output()


class VolumeKind(Tagged):
    """Disks. Which machine has one is a property of the machine."""

    props: ClassVar[type[Any]] = VolumeProps
    outputs: ClassVar[type[Any]] = VolumeOutputs
    precious: ClassVar[str] = "all that is on the disk"
    token = True
    many = True
    family = Family(
        "volume",
        "volume",
        "describe_volumes",
        "Volumes",
        "VolumeId",
        "volume-id",
        gone=lambda thing: thing.get("State") in ("deleting", "deleted"),
    )

    def make(self, aws: Aws, job: Job[Any, Any]) -> Thing:
        wanted: VolumeProps = asked(job)
        made: Thing = aws.call(
            "ec2",
            "create_volume",
            AvailabilityZone=whole_zone(wanted.zone, aws.region),
            Size=wanted.size_gib,
            Encrypted=wanted.encrypted,
            ClientToken=job.key,
            TagSpecifications=self.born_with(job),
            **_shape(wanted),
            **({"KmsKeyId": wanted.key} if wanted.key else {}),
            **({"SnapshotId": wanted.snapshot} if wanted.snapshot else {}),
        )
        return made

    def shape(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        if thing.get("State") == "creating":
            return "AWS is making it"
        self.name_and_tag(aws, job, thing)
        wanted: VolumeProps = asked(job)
        if wanted.size_gib < thing["Size"]:
            raise Fatal(
                "a disk cannot become smaller",
                detail=f"{thing['VolumeId']} has {thing['Size']} GiB, and {wanted.size_gib} are wanted",
                remedy="put the size back",
                effect=False,
            )
        differ = {key: value for key, value in _shape(wanted).items() if thing.get(key) != value}
        if wanted.size_gib != thing["Size"]:
            differ["Size"] = wanted.size_gib
        if differ:
            aws.call("ec2", "modify_volume", VolumeId=thing["VolumeId"], **differ)
        return ""

    def unmake(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        aws.call("ec2", "delete_volume", VolumeId=thing["VolumeId"])
        return ""

    def read_props(self, aws: Aws, job: Job[Any, Any], thing: Thing, more: Any) -> dict[str, Value]:
        props = said(job)
        return {
            "zone": short_zone(thing["AvailabilityZone"], aws.region),
            "size_gib": thing["Size"],
            "type": thing["VolumeType"],
            "iops": thing.get("Iops", 0) if props is None or props.iops else 0,
            "throughput": thing.get("Throughput", 0) if props is None or props.throughput else 0,
            "encrypted": bool(thing.get("Encrypted")) and (props is None or props.encrypted),
        }

    def consequence(self, changes: Sequence[FieldChange]) -> str:
        return "while it is used" if {change.path[0] for change in changes} - {"name", "tags"} else ""


def _shape(wanted: VolumeProps) -> dict[str, Any]:
    """What can be said of a disk now and later, as EC2 takes it."""
    told = {"VolumeType": wanted.type, "Iops": wanted.iops, "Throughput": wanted.throughput}
    return {key: value for key, value in told.items() if value}
