"""The marks by which we know our objects again: tags with the lineage of a state, a key, and an address.

The key was minted before the object was asked for, so whoever finds it knows whose call made it. Tag keys have no
slash, so that they may also be read from inside an instance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provisioner.sdk import Job

LINEAGE = "prov:lineage"
KEY = "prov:key"
ADDRESS = "prov:address"
NAME = "Name"

_SYSTEM = ("aws:", "kubernetes.io/", "k8s.io/", "ebs.csi.aws.com/", "elbv2.k8s.aws/")
"""Beginnings of tags that clouds and controllers set by themselves; they are ours only where a file names them."""


def marked(job: Job[Any, Any], name: str, tags: Mapping[str, str]) -> dict[str, str]:
    """All tags of an object that is about to be made."""
    return {**tags, NAME: name, LINEAGE: job.lineage, KEY: job.key, ADDRESS: str(job.address)}


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags in the form in which AWS takes them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def tags_of(thing: Mapping[str, Any]) -> dict[str, str]:
    """All tags of an object as AWS described it."""
    listed: Iterable[Mapping[str, str]] = thing.get("Tags") or thing.get("TagSet") or ()
    return {tag["Key"]: tag.get("Value", "") for tag in listed}


def is_ours(tags: Mapping[str, str], job: Job[Any, Any]) -> bool:
    """Whether tags are those of the job's object."""
    return (tags.get(LINEAGE), tags.get(KEY)) == (job.lineage, job.key)


def is_anothers(tags: Mapping[str, str], job: Job[Any, Any]) -> bool:
    """Whether tags say that the object belongs to something else on record, here or in another state."""
    return LINEAGE in tags and not is_ours(tags, job)


def plain(tags: Mapping[str, str], job: Job[Any, Any]) -> dict[str, str]:
    """The tags that a file is about: not our marks, nor what AWS and controllers set by themselves."""
    named = {key for props in (job.applied, job.wanted) if props is not None for key in props.tags}
    return {
        key: value
        for key, value in tags.items()
        if key not in (LINEAGE, KEY, ADDRESS, NAME) and (key in named or not key.startswith(_SYSTEM))
    }
