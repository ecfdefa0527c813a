"""What the kinds of Elastic Load Balancing have in common: ARNs for ids, and tags that are asked for apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prov_aws.client import Aws
from prov_aws.errors import Missing
from prov_aws.jobs import asked
from prov_aws.kinds.tagged import Tagged
from prov_aws.made import Family, Thing
from prov_aws.marks import is_anothers, is_ours, marked, pairs, plain, tags_of
from prov_aws.names import tail
from provisioner.sdk import Job

_TAGGED_AT_ONCE = 20
SERVICE = "elbv2"


class Balancing(Tagged):
    """A kind of Elastic Load Balancing."""

    def candidates(self, aws: Aws, jobs: Sequence[Job[Any, Any]]) -> Iterable[Thing]:
        """What may be the objects of jobs; a few calls for all of them."""
        raise NotImplementedError

    def found(self, aws: Aws, jobs: Sequence[Job[Any, Any]]) -> Mapping[str, Thing]:
        listed = {thing[self.family.id]: thing for thing in self.candidates(aws, jobs)}
        things = [{**thing, "Tags": tags} for thing, tags in with_tags(aws, self.family, list(listed.values()))]
        return {job.key: mine for job in jobs if (mine := self._mine(things, job)) is not None}

    def born_with(self, job: Job[Any, Any]) -> list[dict[str, Any]]:
        return pairs(marked(job, asked(job).name, asked(job).tags))

    def name_and_tag(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> None:
        wanted, tags = marked(job, asked(job).name, asked(job).tags), tags_of(thing)
        differ = {key: value for key, value in wanted.items() if tags.get(key) != value}
        surplus = sorted(key for key in plain(tags, job) if key not in wanted)
        if differ:
            aws.call(SERVICE, "add_tags", ResourceArns=[thing[self.family.id]], Tags=pairs(differ))
        if surplus:
            aws.call(SERVICE, "remove_tags", ResourceArns=[thing[self.family.id]], TagKeys=surplus)

    def _mine(self, things: Sequence[Thing], job: Job[Any, Any]) -> Thing | None:
        for thing in things:
            tags = tags_of(thing)
            if is_ours(tags, job) or (thing[self.family.id] == job.id and not is_anothers(tags, job)):
                return thing
        return None


def named_by_key(aws: Aws, jobs: Sequence[Job[Any, Any]], call: str, what: str) -> Iterable[Thing]:
    """All of `what`, such as `TargetGroup`, that are known by id, or have a name which a job's key makes the end of.

    Tags are asked for apart, so objects of others are left out before it comes to that.
    """
    tails, ids = {f"-{tail(job.key)}" for job in jobs}, {job.id for job in jobs}
    for thing in aws.pages(SERVICE, call, f"{what}s"):
        if thing[f"{what}Arn"] in ids or thing[f"{what}Name"][-11:] in tails:
            yield thing


def with_tags(aws: Aws, family: Family, things: Sequence[Thing]) -> Iterable[tuple[Thing, list[Mapping[str, str]]]]:
    """Each object with its tags, a call for twenty of them; what has gone meanwhile is left out."""
    for start in range(0, len(things), _TAGGED_AT_ONCE):
        some = {thing[family.id]: thing for thing in things[start : start + _TAGGED_AT_ONCE]}
        try:
            told = aws.call(SERVICE, "describe_tags", ResourceArns=list(some))["TagDescriptions"]
        except Missing:
            if len(some) > 1:
                for thing in some.values():
                    yield from with_tags(aws, family, [thing])
            continue
        for one in told:
            yield some[one["ResourceArn"]], one["Tags"]
