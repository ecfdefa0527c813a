"""Taking over what somebody else made: it gets our marks, and stays what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prov_aws.client import Aws
from prov_aws.kinds.tagged import Tagged, gone
from prov_aws.made import Thing, described
from prov_aws.marks import ADDRESS, KEY, LINEAGE, is_anothers, is_ours, pairs, tags_of
from provisioner.sdk import Absent, Address, Answer, Context, Done, Fatal, Job, Reading


class Adoptable(Tagged):
    """A kind whose objects can be taken over by their ids."""

    def by_id(self, aws: Aws, ids: Sequence[str]) -> Mapping[str, Thing]:
        """What is there under ids, whoever made it."""
        found = described(aws, self.family, {self.family.filter: list(ids)})
        return {thing[self.family.id]: thing for thing in found}

    def mark(self, aws: Aws, thing: Thing, marks: Mapping[str, str]) -> None:
        """Puts our marks on an object beside the tags it has."""
        aws.call("ec2", "create_tags", Resources=[thing[self.family.id]], Tags=pairs(marks))

    def find(self, client: Aws, ids: Sequence[str], ctx: Context) -> Mapping[str, Reading]:
        """A listing for all ids."""
        things = self.by_id(client, ids)
        more = self.closer(client, list(things.values())) if things else {}
        nobody = Job[Any, Any]("", 1, Address(f"aws.{self.family.what.replace(' ', '_')}", "found"))
        return {id_: self._reading(client, nobody, things[id_], more) if id_ in things else Absent() for id_ in ids}

    def adopt(self, client: Aws, job: Job[Any, Any], ctx: Context) -> Answer:
        """Marks the object; quiet where it bears the mark of this very entry."""
        thing = self.by_id(client, [job.id or ""]).get(job.id or "")
        if thing is None:
            raise gone(self.family.what, str(job.address))
        tags = tags_of(thing)
        if is_anothers(tags, job):
            raise belongs_to_others(self.family.what, job.id or "")
        if not is_ours(tags, job):
            self.mark(client, thing, {LINEAGE: job.lineage, KEY: job.key, ADDRESS: str(job.address)})
        closer = self.closer(client, [thing]).get(thing[self.family.id])
        return Done(self.outputs(**self.tell(client, thing, closer)))


def belongs_to_others(what: str, id_: str) -> Fatal:
    """Something is on record elsewhere, or at another address here."""
    return Fatal(
        "the object is on record already",
        detail=f"{what} {id_} bears the mark of another entry or state",
        remedy="let that one go first with `prov state rm`, and take its tags prov:lineage and prov:key off",
        effect=False,
    )
