"""`aws.bucket`: a bucket of S3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from attrs import field, frozen

from prov_aws.client import Aws
from prov_aws.errors import Busy, Missing, Taken
from prov_aws.jobs import asked, said
from prov_aws.kinds.named import Named
from prov_aws.made import ASKED, Family, Thing
from prov_aws.marks import LINEAGE, pairs, plain, tags_of
from provisioner.sdk import Job, OperatorNeeded, Value, output, prop

_SKEW = timedelta(minutes=2)
_DEFAULT_REGION = "us-east-1"


@frozen(kw_only=True)
class BucketProps:
    """A bucket; its name is like that of no other in the world. It stays closed to the public, as AWS makes it.

    versioned  whether older versions of objects are kept
    empty      whether it is emptied when it is removed; else removing it fails while something is in it
    """

    name: str = prop(immutable=True)
    versioned: bool = False
    empty: bool = prop(readable=False, default=False)
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class BucketOutputs:
    """`id` is the name; `host` is where it answers."""

    id: str = output()
    arn: str = output()
    host: str = output()


class BucketKind(Named):
    """Buckets."""

    props: ClassVar[type[Any]] = BucketProps
    outputs: ClassVar[type[Any]] = BucketOutputs
    family = Family("bucket", "", "", "", "Name", "")

    def look(self, aws: Aws, names: Iterable[str]) -> Mapping[str, Thing]:
        wanted = set(names)
        listed = [one for one in aws.call("s3", "list_buckets").get("Buckets", ()) if one["Name"] in wanted]
        return {one["Name"]: {**one, "Tags": bucket_tags(aws, one["Name"])} for one in listed}

    def make(self, aws: Aws, job: Job[Any, Any]) -> Thing:
        """S3 in us-east-1 says yes to a name one has already, so it is asked before."""
        name = asked(job).name
        if self.look(aws, [name]):
            raise Taken(
                "AWS has another object of this name",
                detail=f"the account has a bucket {name}",
                remedy="give it another name, or remove the other one",
                effect=False,
            )
        place = {"LocationConstraint": aws.region}
        more = {} if aws.region == _DEFAULT_REGION else {"CreateBucketConfiguration": place}
        aws.call("s3", "create_bucket", Bucket=name, **more)
        return {"Name": name, "Tags": []}

    def shape(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        name = thing["Name"]
        differ, surplus = self.differing(job, thing)
        if differ or surplus:
            others = {key: value for key, value in tags_of(thing).items() if key not in plain(tags_of(thing), job)}
            tags = {**others, **asked(job).tags, **differ}
            tagging = {"TagSet": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}
            aws.call("s3", "put_bucket_tagging", Bucket=name, Tagging=tagging)
        if _versioned(aws, name) != asked(job).versioned:
            status = {"Status": "Enabled" if asked(job).versioned else "Suspended"}
            aws.call("s3", "put_bucket_versioning", Bucket=name, VersioningConfiguration=status)
        return ""

    def mark(self, aws: Aws, thing: Thing, marks: Mapping[str, str]) -> None:
        tagging = {"TagSet": pairs({**tags_of(thing), **marks})}
        aws.call("s3", "put_bucket_tagging", Bucket=thing["Name"], Tagging=tagging)

    def unmake(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        if (props := said(job)) is not None and props.empty and _remove_some(aws, thing["Name"]):
            return "what is in it is removed"
        try:
            aws.call("s3", "delete_bucket", Bucket=thing["Name"])
        except Busy as err:
            if "BucketNotEmpty" not in err.detail:
                raise
            raise OperatorNeeded(
                "the bucket is not empty", detail=thing["Name"], remedy="empty it, or say `empty: true` and apply"
            ) from None
        return ""

    def read_props(self, aws: Aws, job: Job[Any, Any], thing: Thing, more: Any) -> dict[str, Value]:
        return {"name": thing["Name"], "versioned": _versioned(aws, thing["Name"])}

    def tell(self, aws: Aws, thing: Thing, more: Any) -> dict[str, Value]:
        name, (partition, end) = thing["Name"], aws.partition
        return {"id": name, "arn": f"arn:{partition}:s3:::{name}", "host": f"{name}.s3.{aws.region}.{end}"}

    def _is_mine(self, there: Mapping[str, Thing], job: Job[Any, Any]) -> bool:
        """A bucket without any mark is ours if it was made after its creation went on record: tags come second."""
        if super()._is_mine(there, job):
            return True
        thing = there.get(self.name_of(job))
        if thing is None or job.phase != ASKED or LINEAGE in tags_of(thing) or "CreationDate" not in thing:
            return False
        since: datetime = datetime.fromisoformat(job.memo["at"]) - _SKEW
        return bool(thing["CreationDate"] >= since)


def bucket_tags(aws: Aws, name: str) -> list[Mapping[str, str]]:
    """The tags of a bucket, none where it has none."""
    try:
        found: list[Mapping[str, str]] = aws.call("s3", "get_bucket_tagging", Bucket=name)["TagSet"]
    except Missing:
        return []
    return found


def _versioned(aws: Aws, name: str) -> bool:
    return bool(aws.call("s3", "get_bucket_versioning", Bucket=name).get("Status") == "Enabled")


def _remove_some(aws: Aws, name: str) -> bool:
    """Removes up to a thousand versions of objects; false when there are none."""
    page = aws.call("s3", "list_object_versions", Bucket=name, MaxKeys=1000)
    there = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
    if not there:
        return False
    objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in there]
    told = aws.call("s3", "delete_objects", Bucket=name, Delete={"Objects": objects, "Quiet": True})
    if kept := told.get("Errors"):
        raise OperatorNeeded(
            "what is in the bucket cannot be removed",
            detail=f"{name}: {len(kept)} objects, such as {kept[0].get('Key')}: {kept[0].get('Code')}",
            remedy="see whether a lock or a policy of the bucket keeps them",
        )
    return True
