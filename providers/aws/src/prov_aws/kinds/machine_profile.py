"""The instance profile of a machine that stands: given, taken, or put in the place of another one while it runs.

Tools that manage fleets attach a profile of their own where a machine has none. Where the file names none either,
that one is left alone.
"""

from __future__ import annotations

from typing import Any

from prov_aws.client import Aws
from prov_aws.jobs import asked, said
from prov_aws.made import Thing, as_filters
from provisioner.sdk import Fatal, Job, Retry


def profile_of(job: Job[Any, Any], thing: Thing) -> str:
    """The profile as the file names it: by name or by ARN; empty where the file is not about one."""
    arn = str((thing.get("IamInstanceProfile") or {}).get("Arn", ""))
    props = said(job)
    if not _named(job):
        return ""
    return arn if props is not None and props.profile.startswith("arn:") else arn.rpartition("/")[2]


def mend_profile(aws: Aws, job: Job[Any, Any], thing: Thing) -> None:
    """Brings the profile to what is wanted."""
    wanted, id_ = asked(job).profile, thing["InstanceId"]
    if profile_of(job, thing) == wanted:
        return
    held = _association(aws, id_)
    if not wanted:
        if held:
            aws.call("ec2", "disassociate_iam_instance_profile", AssociationId=held)
        return
    profile = {"Arn" if wanted.startswith("arn:") else "Name": wanted}
    try:
        if held:
            operation = "replace_iam_instance_profile_association"
            aws.call("ec2", operation, AssociationId=held, IamInstanceProfile=profile)
        else:
            aws.call("ec2", "associate_iam_instance_profile", InstanceId=id_, IamInstanceProfile=profile)
    except Fatal as err:
        if wanted not in aws.born:
            raise
        raise Retry("AWS does not know the new instance profile yet", detail=err.detail, after_s=3.0) from None


def _named(job: Job[Any, Any]) -> bool:
    """Whether the file names a profile, or did so before."""
    return any(props is not None and props.profile for props in (job.wanted, job.applied))


def _association(aws: Aws, id_: str) -> str:
    """The id of what ties a machine to its profile; empty where it has none."""
    filters = as_filters({"instance-id": [id_], "state": ["associating", "associated"]})
    found = aws.pages(
        "ec2", "describe_iam_instance_profile_associations", "IamInstanceProfileAssociations", Filters=filters
    )
    return next((str(one["AssociationId"]) for one in found), "")
