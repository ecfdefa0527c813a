"""What kinds have in common whose objects have a name that nobody else in the account, or in the world, may have."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prov_aws.client import Aws
from prov_aws.jobs import said
from prov_aws.kinds.adopting import Adoptable
from prov_aws.made import Thing
from prov_aws.marks import is_anothers, is_ours, marked, plain, tags_of
from provisioner.sdk import Job, Value


class Named(Adoptable):
    """A kind whose objects are found by their names, and are ours by their tags."""

    def look(self, aws: Aws, names: Iterable[str]) -> Mapping[str, Thing]:
        """What is there of these names, by name, with its `Tags`."""
        raise NotImplementedError

    def by_id(self, aws: Aws, ids: Sequence[str]) -> Mapping[str, Thing]:
        return self.look(aws, ids)

    def name_of(self, job: Job[Any, Any]) -> str:
        """The name of a job's object; as an id it is kept where nothing else is known."""
        props = said(job)
        return str(props.name) if props is not None else job.id or ""

    def found(self, aws: Aws, jobs: Sequence[Job[Any, Any]]) -> Mapping[str, Thing]:
        there = self.look(aws, sorted({name for job in jobs if (name := self.name_of(job))}))
        mine = ((job.key, there.get(self.name_of(job))) for job in jobs if self._is_mine(there, job))
        return {key: thing for key, thing in mine if thing is not None}

    def born_with(self, job: Job[Any, Any]) -> list[dict[str, Any]]:
        tags = marked(job, self.name_of(job), said(job).tags)
        return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]

    def differing(self, job: Job[Any, Any], thing: Thing) -> tuple[dict[str, str], list[str]]:
        """The tags to put on an object, and the keys of those to take off."""
        wanted, tags = marked(job, self.name_of(job), said(job).tags), tags_of(thing)
        differ = {key: value for key, value in wanted.items() if tags.get(key) != value}
        return differ, sorted(key for key in plain(tags, job) if key not in wanted)

    def _is_mine(self, there: Mapping[str, Thing], job: Job[Any, Any]) -> bool:
        thing = there.get(self.name_of(job))
        if thing is None:
            return False
        tags = tags_of(thing)
        recorded = job.id == thing[self.family.id] and not is_anothers(tags, job)
        return is_ours(tags, job) or recorded


def document(value: Any) -> Value:
    """A policy document in one spelling, for comparing."""
    return json.dumps(value, sort_keys=True, default=str) if isinstance(value, Mapping) else value


def documents(values: Any) -> Value:
    """Policy documents by name, each in one spelling."""
    return {name: document(value) for name, value in values.items()} if isinstance(values, Mapping) else values
