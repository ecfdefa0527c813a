"""What all kinds have in common whose objects EC2 tags as it makes them.

A kind says how its objects are listed (`family`), made (`make`), brought to what is wanted (`shape`), and removed
(`unmake`). Creating is making and shaping, changing is shaping; both write only what differs, so either may be called
again at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from prov_aws.client import Aws
from prov_aws.errors import Busy, Missing
from prov_aws.jobs import asked
from prov_aws.made import (
    ASKED,
    LISTED_AFTER,
    MADE,
    Family,
    Thing,
    about_to_ask,
    already_there,
    check_patience,
    found,
    made,
)
from prov_aws.marks import NAME, marked, pairs, plain, tags_of
from provisioner.sdk import (
    Absent,
    Answer,
    Context,
    Done,
    Fatal,
    FieldChange,
    Job,
    Pending,
    Reading,
    Seen,
    Severity,
    Unreachable,
    Value,
)

_NAMES = ("Arn", "GroupName")
"""By what else than its id an object is referred to."""
LOOKING = "looking"
"""The phase of a removal of something that is read first, together with all others that go."""
REMOVING = "removing"
"""The phase of a removal that was asked for and takes its time."""


class Tagged:
    """The verbs of a kind of EC2."""

    props: ClassVar[type[Any]]
    outputs: ClassVar[type[Any]]
    family: ClassVar[Family]
    token: ClassVar[bool] = False
    """Whether AWS takes a client token for it."""
    many: ClassVar[bool] = False
    """Whether there may be one for each node: then none is looked for by itself before it is removed."""
    grave: ClassVar[frozenset[str]] = frozenset()
    """The properties whose drift leaves something without service, or open to the wrong ones."""

    # what a kind says

    def make(self, aws: Aws, job: Job[Any, Any]) -> Thing:
        """Asks for the object; what is given back is the object as AWS describes it."""
        raise NotImplementedError

    def shape(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        """Writes what differs from `job.wanted`; gives a note about what is waited for, empty for nothing."""
        self.name_and_tag(aws, job, thing)
        return ""

    def unmake(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        """Removes the object; gives a note about what is waited for, empty when it is gone."""
        raise NotImplementedError

    def users(self, aws: Aws, thing: Thing) -> str:
        """What keeps an object from being removed, where that can be told."""
        return ""

    def closer(self, aws: Aws, things: Sequence[Thing]) -> Mapping[str, Any]:
        """What else has to be read of objects, by id; a few calls for all of them."""
        return {}

    def read_props(self, aws: Aws, job: Job[Any, Any], thing: Thing, more: Any) -> dict[str, Value]:
        """The readable properties but `name` and `tags`."""
        raise NotImplementedError

    def tell(self, aws: Aws, thing: Thing, more: Any) -> dict[str, Value]:
        """The outputs."""
        return {"id": thing[self.family.id]}

    # the verbs

    def read(self, client: Aws, jobs: Sequence[Job[Any, Any]], ctx: Context) -> Mapping[str, Reading]:
        """A listing for all jobs, and what `closer` takes."""
        things = self.found(client, jobs)
        self.keep(client, jobs, things)
        more = self.closer(client, list(things.values())) if things else {}
        return {job.key: self._reading(client, job, things.get(job.key), more) for job in jobs}

    def create(self, client: Aws, job: Job[Any, Any], ctx: Context) -> Answer:
        """Makes the object unless it is there, and shapes it."""
        if job.phase not in (ASKED, MADE):
            return about_to_ask(client, job, ctx, self.family.what)
        if job.phase == MADE and isinstance(job.seen, Unreachable):
            return Pending(job.id, MADE, job.memo, after_s=3.0, note=f"the {self.family.what}: {job.seen.reason}")
        if job.phase == MADE:
            thing: Thing | Pending | None = self.looked(client, job)
            if thing is None:
                return Pending(job.id, MADE, after_s=2.0, note=f"the {self.family.what} is not listed yet")
        else:
            thing = made(
                client,
                job,
                ctx,
                self.family.what,
                lambda: self.one(client, job),
                lambda: self.make(client, job),
                token=self.token,
            )
        if isinstance(thing, Pending):
            return thing
        if job.phase == ASKED:
            client.born.update({str(thing[name]): ctx.now() for name in (self.family.id, *_NAMES) if name in thing})
        with already_there():
            return self._shaped_in_time(client, job, ctx, thing)

    def update(self, client: Aws, job: Job[Any, Any], ctx: Context) -> Answer:
        """Shapes the object; without a difference nothing is written."""
        thing = self.one(client, job)
        if thing is None:
            raise gone(self.family.what, str(job.address))
        return self._shaped(client, job, thing)

    def delete(self, client: Aws, job: Job[Any, Any], ctx: Context) -> Answer:
        """Removes the object; what still uses it is waited for."""
        if self.many and job.id is not None and job.seen is None and not job.phase:
            return Pending(job.id, LOOKING, after_s=0.5, note=f"the {self.family.what} is looked for")
        if self.many and isinstance(job.seen, Unreachable):  # each of them by itself would ask for even more
            note = f"the {self.family.what}: {job.seen.reason}"
            return Pending(job.id, job.phase, job.memo, after_s=3.0, note=note)
        thing = self.looked(client, job)
        if thing is None:
            return unless_unlisted(job, ctx, self.family.what)
        try:
            note = self.unmake(client, job, thing)
        except Missing:  # the object itself, or only what tied it to something that goes at the same time
            note = f"what the {self.family.what} was tied to has gone" if self.one(client, job) is not None else ""
        except Busy as err:
            note = f"something still uses the {self.family.what}: {self.users(client, thing) or err.detail}"
        return Pending(thing[self.family.id], REMOVING, after_s=3.0, note=note) if note else Done(None)

    def severity(self, changes: Sequence[FieldChange]) -> Severity:
        """Labels are no harm; what is gone is."""
        return weighed(changes, self.grave)

    # what kinds are made of

    def found(self, aws: Aws, jobs: Sequence[Job[Any, Any]]) -> Mapping[str, Thing]:
        """The objects of jobs, by key."""
        return found(aws, self.family, jobs)

    def one(self, aws: Aws, job: Job[Any, Any]) -> Thing | None:
        """The object of a job."""
        return self.found(aws, [job]).get(job.key)

    def looked(self, aws: Aws, job: Job[Any, Any]) -> Thing | None:
        """The object of a job, as it was read for this very call; looked for where it was not."""
        thing = aws.listed.pop(job.key, None)
        if isinstance(job.seen, Absent):
            return None
        return thing if thing is not None and isinstance(job.seen, Seen) else self.one(aws, job)

    def keep(self, aws: Aws, jobs: Sequence[Job[Any, Any]], things: Mapping[str, Thing]) -> None:
        """Remembers what was read for jobs at work, until the calls that come next."""
        at_work = {job.key for job in jobs if (job.id is not None and job.outputs is None) or job.wanted is None}
        aws.listed.update({key: thing for key, thing in things.items() if key in at_work})

    def born_with(self, job: Job[Any, Any]) -> list[dict[str, Any]]:
        """The tags an object is made with."""
        return [{"ResourceType": self.family.type, "Tags": pairs(marked(job, asked(job).name, asked(job).tags))}]

    def name_and_tag(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> None:
        """Puts the wanted tags on an object, and takes others off."""
        retag(aws, job, thing[self.family.id], tags_of(thing))

    def _shaped_in_time(self, client: Aws, job: Job[Any, Any], ctx: Context, thing: Thing) -> Answer:
        """What was just made, shaped; AWS may not know it yet, or what it refers to."""
        try:
            return self._shaped(client, job, thing)
        except Missing as err:
            since = job.memo.get("unknown", ctx.now().isoformat())
            check_patience(client, job, ctx, err, datetime.fromisoformat(since))
            note = f"AWS does not know the {self.family.what} everywhere yet"
            return Pending(thing[self.family.id], MADE, {"unknown": since}, after_s=2.0, note=note)

    def _shaped(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> Answer:
        note = self.shape(aws, job, thing)
        if note:
            return Pending(thing[self.family.id], MADE, after_s=3.0, note=note)
        return Done(self.outputs(**self.tell(aws, thing, self.closer(aws, [thing]).get(thing[self.family.id]))))

    def _reading(self, aws: Aws, job: Job[Any, Any], thing: Thing | None, more: Mapping[str, Any]) -> Reading:
        if thing is None:
            return Absent()
        tags, closer = tags_of(thing), more.get(thing[self.family.id])
        props = self.read_props(aws, job, thing, closer)
        return Seen({"name": tags.get(NAME, ""), "tags": plain(tags, job), **props}, self.tell(aws, thing, closer))


def retag(aws: Aws, job: Job[Any, Any], id_: str, tags: Mapping[str, str]) -> None:
    """Brings name and tags of an object to what is wanted."""
    wanted = marked(job, asked(job).name, asked(job).tags)
    differ = {key: value for key, value in wanted.items() if tags.get(key) != value}
    surplus = [key for key in plain(tags, job) if key not in wanted]
    if differ:
        aws.call("ec2", "create_tags", Resources=[id_], Tags=pairs(differ))
    if surplus:
        aws.call("ec2", "delete_tags", Resources=[id_], Tags=[{"Key": key} for key in sorted(surplus)])


def weighed(changes: Sequence[FieldChange], grave: frozenset[str]) -> Severity:
    """How bad it is that somebody else did what is put back with `changes`."""
    names = {str(change.path[0]) for change in changes}
    if not names or names & grave:
        return "critical"
    return "warning" if names - {"name", "tags", "about"} else "info"


def gone(what: str, address: str) -> Fatal:
    """Something that was to be changed is not there."""
    return Fatal(
        "the object is gone", detail=f"{what} of {address}", remedy="plan again: it will be made anew", effect=False
    )


def unless_unlisted(job: Job[Any, Any], ctx: Context, what: str) -> Answer:
    """A removal is done, unless it is of something that was cut off while it was made and may not be listed yet."""
    if job.id is not None or job.outputs is not None:
        return Done(None)
    since = job.memo.get("looked")
    if since is None:
        note = f"it is seen whether an earlier call has made the {what}"
        return Pending(phase=LOOKING, memo={"looked": ctx.now().isoformat()}, after_s=5.0, note=note)
    if ctx.now() - datetime.fromisoformat(since) >= LISTED_AFTER:
        return Done(None)
    return Pending(phase=LOOKING, memo=job.memo, after_s=5.0, note=f"it is seen whether there is a {what}")


def in_order(values: Any) -> Value:
    """A list whose order means nothing, for comparing."""
    return tuple(sorted(values, key=repr)) if isinstance(values, Iterable) and not isinstance(values, str) else values
