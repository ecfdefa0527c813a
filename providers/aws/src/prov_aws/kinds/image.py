"""`aws.image`: an image (AMI) of one's own, made from a disk image that somebody serves.

    ""            nothing yet
    "asked"       a snapshot is asked for with the key as token
    "sending"     the disk image is fetched and its blocks are sent; a crash begins this anew, with the same snapshot
    "sealing"     all blocks have arrived; the snapshot is told so
    "registering" the snapshot becomes an image, which waits until AWS has it
    "made"        it is there, and waits until it is available

No bucket and no service role is needed, as the import of snapshots through S3 would.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, ClassVar

from attrs import field, frozen

from prov_aws.blocks import Sending
from prov_aws.client import Aws
from prov_aws.errors import Mismatch, Missing, Taken
from prov_aws.jobs import asked
from prov_aws.kinds.tagged import Tagged, unless_unlisted
from prov_aws.made import KNOWN_AFTER, MADE, Family, Thing, about_to_ask, already_there, as_filters, described
from prov_aws.marks import KEY, LINEAGE, marked, pairs
from prov_aws.names import remote_name
from provisioner.sdk import (
    Answer,
    Context,
    Done,
    Downloads,
    Fatal,
    Job,
    Pending,
    Retry,
    Value,
    Working,
    cache_folder,
    output,
    prop,
)

_LONGEST = 128
_ARCHITECTURES = {"amd64": "x86_64", "arm64": "arm64"}
SENDING, SEALING, REGISTERING = "sending", "sealing", "registering"


@frozen(kw_only=True)
class ImageProps:
    """An image of the raw disk at `url`, which may be packed with xz, zstd or gzip, on a disk of `size_gib`."""

    name: str = prop()
    url: str = prop(immutable=True, readable=False)
    arch: str = prop(immutable=True, default="amd64")
    size_gib: int = prop(immutable=True, default=8)
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class ImageOutputs:
    """`id` is that of the image, `snapshot` that of what it consists of."""

    id: str = output()
    snapshot: str = output()


_SNAPSHOTS = Family("snapshot", "snapshot", "describe_snapshots", "Snapshots", "SnapshotId", "snapshot-id")


class ImageKind(Tagged):
    """Images made from disk images; one takes minutes."""

    props: ClassVar[type[Any]] = ImageProps
    outputs: ClassVar[type[Any]] = ImageOutputs
    family = Family(
        "image",
        "image",
        "describe_images",
        "Images",
        "ImageId",
        "image-id",
        gone=lambda thing: thing.get("State") in ("deregistered", "invalid"),
    )

    def create(self, client: Aws, job: Job[Any, Any], ctx: Context) -> Answer:
        match job.phase:
            case "asked":
                return _begin(client, job, ctx)
            case "made":
                return super().create(client, job, ctx)
            case "sending" | "sealing" | "registering":
                with already_there(), _known_soon(job, ctx):  # a snapshot, at least
                    return self._continue(client, job, ctx)
        there = self.one(client, job)
        if there is not None:
            return self._shaped(client, job, there)
        return about_to_ask(client, job, ctx, "snapshot")

    def _continue(self, client: Aws, job: Job[Any, Any], ctx: Context) -> Answer:
        match job.phase:
            case "sending":
                return _send(client, job, ctx)
            case "sealing":
                return _seal(client, job)
        return self._register(client, job, ctx)

    def delete(self, client: Aws, job: Job[Any, Any], ctx: Context) -> Answer:
        """Removes the image, then its snapshot, finished or not."""
        image = self.one(client, job)
        if image is not None:
            with suppress(Missing):
                client.call("ec2", "deregister_image", ImageId=image["ImageId"])
        left = list(_snapshots(client, job))
        for snapshot in left:
            with suppress(Missing):
                client.call("ec2", "delete_snapshot", SnapshotId=snapshot["SnapshotId"])
        return Done(None) if image is not None or left else unless_unlisted(job, ctx, "snapshot")

    def shape(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        self.name_and_tag(aws, job, thing)
        match thing.get("State"):
            case "pending":
                return "AWS is making it"
            case "failed" | "error":
                raise Fatal(
                    "AWS could not make the image",
                    detail=str((thing.get("StateReason") or {}).get("Message")),
                    remedy="plan again: it will be made anew",
                )
        return ""

    def read_props(self, aws: Aws, job: Job[Any, Any], thing: Thing, more: Any) -> dict[str, Value]:
        names = {theirs: ours for ours, theirs in _ARCHITECTURES.items()}
        return {"arch": names.get(thing["Architecture"], thing["Architecture"]), "size_gib": _disk(thing)[1]}

    def tell(self, aws: Aws, thing: Thing, more: Any) -> dict[str, Value]:
        return {"id": thing["ImageId"], "snapshot": _disk(thing)[0]}

    def found(self, aws: Aws, jobs: Sequence[Job[Any, Any]]) -> Mapping[str, Thing]:
        """By tags only: a recorded id may be that of a snapshot."""
        return {key: thing for key, thing in super().found(aws, jobs).items() if thing.get("ImageId")}

    def _register(self, aws: Aws, job: Job[Any, Any], ctx: Context) -> Answer:
        id_ = job.memo["snapshot"]
        state = next(iter(described(aws, _SNAPSHOTS, {"snapshot-id": [id_]})), {}).get("State", "pending")
        if state == "error":
            raise Fatal("AWS could not make the snapshot", detail=id_, remedy="plan again: it will be made anew")
        if state != "completed":
            return Pending(phase=REGISTERING, memo=job.memo, after_s=5.0, note="AWS puts the snapshot together")
        try:
            made = aws.call("ec2", "register_image", **_order(job, id_))
        except Taken:  # its name has our key in it, so it is what a call made whose answer was lost
            return Pending(phase=MADE, memo=job.memo, note="the image is there")
        aws.born[made["ImageId"]] = ctx.now()
        return Pending(made["ImageId"], MADE, job.memo, after_s=2.0, note="the image is registered")


@contextmanager
def _known_soon(job: Job[Any, Any], ctx: Context) -> Iterator[None]:
    """A snapshot just begun may be unknown to those who take its blocks, for two minutes at most."""
    try:
        yield
    except Missing as err:
        if ctx.now() - datetime.fromisoformat(job.memo["begun"]) >= KNOWN_AFTER:
            raise
        raise Retry("AWS does not know yet the snapshot it has begun", detail=err.detail, after_s=5.0) from None


def _begin(aws: Aws, job: Job[Any, Any], ctx: Context) -> Answer:
    """Starts the snapshot; with the same token AWS gives the same one."""
    there = list(_snapshots(aws, job))
    if there:
        return _told(job, ctx, there[0]["SnapshotId"])
    tags = pairs(marked(job, asked(job).name, asked(job).tags))
    size = asked(job).size_gib
    about = f"{asked(job).name}, sent by prov"
    try:
        made = aws.call("ebs", "start_snapshot", VolumeSize=size, Tags=tags, ClientToken=job.key, Description=about)
    except Mismatch:
        raise Fatal("the snapshot has gone while it was made", detail=str(job.address), remedy="plan again") from None
    return _told(job, ctx, made["SnapshotId"])


def _told(job: Job[Any, Any], ctx: Context, snapshot: str) -> Pending:
    memo = {**job.memo, "snapshot": snapshot, "begun": ctx.now().isoformat()}
    return Pending(phase=SENDING, memo=memo, after_s=0.0, note="the disk image is fetched")


def _send(aws: Aws, job: Job[Any, Any], ctx: Context) -> Answer:
    """Fetches and sends beside the run; a process that was cut off leaves the snapshot to the next one."""
    snapshot, url = job.memo["snapshot"], asked(job).url
    limit = asked(job).size_gib * 2**30
    done = aws.sent.setdefault(snapshot, set())
    progress = aws.progress.setdefault(snapshot, [0.0])

    def work() -> int:
        path = Downloads(cache_folder(os.environ)).unpacked(url).path
        if path.stat().st_size > limit:
            raise Fatal(
                "the disk image is larger than its disk",
                detail=f"{path.stat().st_size} bytes, and size_gib is {asked(job).size_gib}",
                remedy="raise `size_gib`",
            )
        return Sending(aws, snapshot, path, done).all(lambda part: progress.__setitem__(0, part))

    match ctx.task("send", work):
        case Working():
            note = "the disk image is sent" if progress[0] else "the disk image is fetched"
            return Pending(phase=SENDING, memo=job.memo, after_s=5.0, note=note, progress=progress[0] or None)
        case finished:
            memo = {**job.memo, "blocks": str(finished.value)}
            return Pending(phase=SEALING, memo=memo, after_s=0.0, note="the snapshot is completed")


def _seal(aws: Aws, job: Job[Any, Any]) -> Answer:
    """Says that all blocks are there; quiet where that was said already."""
    id_, count = job.memo["snapshot"], int(job.memo["blocks"])
    try:
        aws.call("ebs", "complete_snapshot", SnapshotId=id_, ChangedBlocksCount=count)
    except Fatal:
        state = next(iter(described(aws, _SNAPSHOTS, {"snapshot-id": [id_]})), {}).get("State")
        if state != "completed":
            raise
    return Pending(phase=REGISTERING, memo=job.memo, after_s=2.0, note="AWS puts the snapshot together")


def _order(job: Job[Any, Any], snapshot: str) -> dict[str, Any]:
    """The arguments of RegisterImage; as Talos's own images have them."""
    wanted: ImageProps = asked(job)
    tags = pairs(marked(job, wanted.name, wanted.tags))
    disk = {"SnapshotId": snapshot, "VolumeType": "gp3", "DeleteOnTermination": True, "VolumeSize": wanted.size_gib}
    return {
        "Name": remote_name(wanted.name, job.key, _LONGEST),
        "Description": f"{wanted.name}, made by prov",
        "Architecture": _ARCHITECTURES[wanted.arch],
        "RootDeviceName": "/dev/xvda",
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": disk}],
        "VirtualizationType": "hvm",
        "BootMode": "uefi-preferred",  # older types, such as t2, know the BIOS only
        "EnaSupport": True,
        "ImdsSupport": "v2.0",
        "TagSpecifications": [{"ResourceType": "image", "Tags": tags}],
    }


def _snapshots(aws: Aws, job: Job[Any, Any]) -> Iterable[Thing]:
    filters = {f"tag:{LINEAGE}": [job.lineage], f"tag:{KEY}": [job.key]}
    return aws.pages("ec2", "describe_snapshots", "Snapshots", OwnerIds=["self"], Filters=as_filters(filters))


def _disk(thing: Thing) -> tuple[str, int]:
    """The snapshot of an image, and its size in GiB."""
    for mapping in thing.get("BlockDeviceMappings") or ():
        if "Ebs" in mapping:
            return mapping["Ebs"].get("SnapshotId", ""), int(mapping["Ebs"].get("VolumeSize", 0))
    return "", 0
