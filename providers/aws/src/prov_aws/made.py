"""Finding objects of EC2 by our marks, and making each of them exactly once.

EC2 has client tokens for few types of objects, and what was just made may not be listed for a while. So the creation
of everything else has a phase, stored before the call:

    ""        nothing was asked for yet ─────────► "asked", stored
    "asked"   the process that stored it makes it at once; anybody else looks first, and waits until what an earlier
              call may have made would be listed
    "made"    it is there; what is left is brought to what is wanted
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from attrs import frozen

from prov_aws.client import Aws
from prov_aws.errors import Busy, Missing
from prov_aws.marks import KEY, LINEAGE, is_anothers, tags_of
from provisioner.sdk import Context, Fatal, Job, Pending, ProviderError, Retry, Schema, Throttled, leaves

Thing: TypeAlias = Mapping[str, Any]
"""An object as AWS describes it."""

ASKED, MADE = "asked", "made"
LISTED_AFTER = timedelta(seconds=15)
"""How long after a call AWS may not list what it made."""
_STALE = timedelta(seconds=5)
"""How old the record of the phase may be when the call is made."""
KNOWN_AFTER = timedelta(seconds=120)
"""How long what a creation refers to may be unknown, if it was just made; else it is as long as listings lag."""
_NAMED = re.compile(r"\b[a-z]+-[0-9a-f]{8,17}\b|\barn:aws[^\s',\]]+")
"""What a refusal says that AWS does not know."""
_LONG_AGO = datetime.fromtimestamp(0, UTC)
_FEW = 150
"""So many keys fit into a filter; AWS takes 200 values."""


@frozen
class Family:
    """How EC2 speaks of one type of objects.

    what      for people, such as `network`
    type      in tag specifications, such as `vpc`
    describe  the operation that lists them, and under which name
    id        the field with the id, and the filter by it
    """

    what: str
    type: str
    describe: str
    result: str
    id: str
    filter: str
    gone: Callable[[Thing], bool] = lambda thing: False
    """Whether a listed object is one no longer."""
    page: int = 0
    """How many come in a page, where AWS would give fewer by itself."""


def found(aws: Aws, family: Family, jobs: Sequence[Job[Any, Any]]) -> dict[str, Thing]:
    """The objects of jobs, by key: by our tags, or by the id on record where nobody else's tags are on it.

    What is in the making is asked for by id first: it is little beside all that there is. The others are looked for
    by their tags, with one listing where they are many, and by id where the tags were taken off.
    """
    things = _by_id(aws, family, [job for job in jobs if job.phase])
    things |= _by_tags(aws, family, [job for job in jobs if job.key not in things])
    return things | _by_id(aws, family, [job for job in jobs if not job.phase and job.key not in things])


def _by_id(aws: Aws, family: Family, jobs: Sequence[Job[Any, Any]]) -> dict[str, Thing]:
    by_key: dict[str, Thing] = {}
    known = {job.id: job for job in jobs if job.id}
    for ids in _chunks(list(known)):
        for thing in described(aws, family, {family.filter: ids}):
            job = known[thing[family.id]]
            if not is_anothers(tags_of(thing), job):
                by_key[job.key] = thing
    return by_key


def _by_tags(aws: Aws, family: Family, jobs: Sequence[Job[Any, Any]]) -> dict[str, Thing]:
    by_key: dict[str, Thing] = {}
    for lineage, group in _by_lineage(jobs).items():
        filters = {f"tag:{LINEAGE}": [lineage]}
        wanted = {job.key for job in group}
        if len(wanted) <= _FEW:
            filters[f"tag:{KEY}"] = sorted(wanted)
        for thing in described(aws, family, filters):
            tags = tags_of(thing)
            if tags.get(LINEAGE) == lineage and tags.get(KEY) in wanted:
                by_key.setdefault(tags[KEY], thing)
    return by_key


def described(aws: Aws, family: Family, filters: Mapping[str, Sequence[str]]) -> Iterator[Thing]:
    """The living objects that fit filters; instances come in reservations."""
    more = {"PaginationConfig": {"PageSize": family.page}} if family.page else {}
    for thing in aws.pages("ec2", family.describe, family.result, Filters=as_filters(filters), **more):
        for item in thing.get("Instances", (thing,)):
            if not family.gone(item):
                yield item


def as_filters(filters: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Filters in the form in which EC2 takes them."""
    return [{"Name": name, "Values": list(values)} for name, values in filters.items()]


def one(aws: Aws, family: Family, job: Job[Any, Any]) -> Thing | None:
    """The object of a job, None if it is not there."""
    return found(aws, family, [job]).get(job.key)


def about_to_ask(aws: Aws, job: Job[Any, Any], ctx: Context, what: str) -> Pending:
    """The answer that puts on record that an object is going to be asked for."""
    if job.key not in aws.made:
        aws.asked.add(job.key)
    now = ctx.now().isoformat()
    memo = {"at": now, "since": job.memo.get("since", now)}
    return Pending(phase=ASKED, memo=memo, after_s=0.0, note=f"the {what} is asked for")


def made(
    aws: Aws,
    job: Job[Any, Any],
    ctx: Context,
    what: str,
    look: Callable[[], Thing | None],
    make: Callable[[], Thing],
    *,
    token: bool = False,
) -> Thing | Pending:
    """The object of a job that was asked for, made if it is not there; with `token`, AWS keeps it from being two."""
    age = ctx.now() - max(_at(job, "at"), aws.doubts.get(job.key, _LONG_AGO))
    if job.key in aws.asked:
        if age > _STALE:
            return about_to_ask(aws, job, ctx, what)
        aws.asked.discard(job.key)
    else:
        thing = look()
        if thing is not None:
            return thing
        if not token and age < LISTED_AFTER:
            note = f"it is seen whether an earlier call has made the {what}"
            return Pending(phase=ASKED, memo=job.memo, after_s=2.0, note=note)
    aws.made.add(job.key)
    try:
        return make()
    except Missing as err:
        _nothing_made(aws, job)
        check_patience(aws, job, ctx, err, _at(job, "since"))
        raise Retry("AWS does not know yet what this refers to", detail=err.detail) from None
    except ProviderError as err:
        if isinstance(err, Retry) and not isinstance(err, Throttled | Busy):
            aws.doubts[job.key] = ctx.now()
        else:
            _nothing_made(aws, job)
        raise


def check_patience(aws: Aws, job: Job[Any, Any], ctx: Context, err: Missing, since: datetime) -> None:
    """Raises Fatal once what a job refers to has been unknown for too long.

    That is soon for what the file names and nobody has just made: there AWS is right.
    """
    now = ctx.now()
    named = set(_NAMED.findall(err.detail)) or set(_texts(job))
    fresh = any(now - aws.born[name] < KNOWN_AFTER for name in named & aws.born.keys())
    if ".Malformed" in err.detail or now - since >= (KNOWN_AFTER if fresh else LISTED_AFTER):
        raise Fatal(
            "AWS does not know what this refers to",
            detail=err.detail,
            remedy="correct what the file names, or plan again if it was to be made by this file",
            effect=False,
        ) from None


@contextmanager
def already_there() -> Iterator[None]:
    """What is refused in here leaves an object behind, which has to stay on record."""
    try:
        yield
    except Fatal as err:
        err.effect = True
        raise


def _texts(job: Job[Any, Any]) -> Iterator[str]:
    """What a job says, as far as it is text: ids and names of other things are among it."""
    props = Schema.of(type(job.wanted)).dump(job.wanted) if job.wanted is not None else {}
    return (leaf for _, leaf in leaves(props) if isinstance(leaf, str))


def _nothing_made(aws: Aws, job: Job[Any, Any]) -> None:
    """The call was refused, so this process need not look before the next one."""
    aws.made.discard(job.key)
    aws.asked.add(job.key)


def _at(job: Job[Any, Any], name: str) -> datetime:
    """A time in the memo: `at` which the record of the phase was made last, or `since` when first."""
    at = job.memo.get(name)
    return datetime.fromisoformat(at) if at else _LONG_AGO


def _by_lineage(jobs: Sequence[Job[Any, Any]]) -> Mapping[str, list[Job[Any, Any]]]:
    groups: dict[str, list[Job[Any, Any]]] = defaultdict(list)
    for job in jobs:
        groups[job.lineage].append(job)
    return groups


def _chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _FEW] for start in range(0, len(ids), _FEW))
