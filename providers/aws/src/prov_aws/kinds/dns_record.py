"""`aws.dns_record`: a name in a zone of Route 53.

Records have no tags. So each is made together with another one, a TXT record beside it, that says whose it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from attrs import frozen

from prov_aws.client import Aws
from prov_aws.errors import Missing
from prov_aws.jobs import asked, said
from prov_aws.kinds.adopting import belongs_to_others
from prov_aws.kinds.tagged import gone, in_order, unless_unlisted, weighed
from prov_aws.made import ASKED, Thing, about_to_ask, made
from prov_aws.marks import KEY, LINEAGE
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
    output,
    prop,
)

SERVICE = "route53"
_BEFORE = "_prov-"
_PARTS = 3
"""Of an id: zone, name, type."""
_MARK = re.compile('"heritage=prov lineage=(?P<lineage>[^ "]+) key=(?P<key>[^ "]+)"')


@frozen(kw_only=True)
class DnsRecordProps:
    """A record: `values` with their `ttl` in seconds, or an alias of a balancer's `host` in its `host_zone`."""

    zone: str = prop(immutable=True)
    name: str = prop(immutable=True, same_as=lambda name: name.rstrip(".").lower())
    type: str = prop(immutable=True, default="A")
    values: tuple[str, ...] = prop(default=(), same_as=in_order)
    ttl: int = 300
    host: str = prop(default="", same_as=lambda name: name.rstrip(".").lower())
    host_zone: str = ""


@frozen
class DnsRecordOutputs:
    """`id` is `ZONE/NAME/TYPE`; `host` is the name."""

    id: str = output()
    host: str = output()


class DnsRecordKind:
    """Records; they are asked for in one change with the one that says whose they are."""

    props: ClassVar[type[Any]] = DnsRecordProps
    outputs: ClassVar[type[Any]] = DnsRecordOutputs

    def read(self, client: Aws, jobs: Sequence[Job[Any, Any]], ctx: Context) -> Mapping[str, Reading]:
        """A listing of each zone."""
        zones = {zone: _listed(client, zone) for zone in sorted({_place(job)[0] for job in jobs})}
        return {job.key: _reading(job, zones[_place(job)[0]]) for job in jobs}

    def create(self, client: Aws, job: Job[Any, Any], ctx: Context) -> Answer:
        """Makes both records, which Route 53 refuses where there is one of them already."""
        if job.phase != ASKED:
            return about_to_ask(client, job, ctx, "record")
        answer = made(
            client, job, ctx, "record", lambda: self._one(client, job), lambda: self._make(client, job), token=True
        )
        return answer if isinstance(answer, Pending) else Done(_outputs(job))

    def update(self, client: Aws, job: Job[Any, Any], ctx: Context) -> Answer:
        """Changes the values; without a difference nothing is written."""
        thing = self._one(client, job)
        if thing is None:
            raise Fatal("the object is gone", detail=str(job.address), remedy="plan again", effect=False)
        if not _same(_props(thing), asked(job)):
            _change(client, _place(job)[0], ("UPSERT", _body(asked(job))))
        return Done(_outputs(job))

    def delete(self, client: Aws, job: Job[Any, Any], ctx: Context) -> Answer:
        """Removes both records; quiet where there are none of ours."""
        zone, name, type_ = _place(job)
        there = _listed(client, zone)
        if not _is_ours(job, there):
            return unless_unlisted(job, ctx, "record")
        bodies = [one for one in (there.get((name, type_)), there.get((_mark_name(name, type_), "TXT"))) if one]
        _change(client, zone, *(("DELETE", body) for body in bodies))
        return Done(None)

    def find(self, client: Aws, ids: Sequence[str], ctx: Context) -> Mapping[str, Reading]:
        """A listing of each zone that the ids, `ZONE/NAME/TYPE`, name."""
        places = {id_: part for id_ in ids if len(part := tuple(id_.split("/"))) == _PARTS}
        zones = {zone: _listed(client, zone) for zone in sorted({zone for zone, _, _ in places.values()})}
        return {id_: _found(places[id_], zones) if id_ in places else Absent() for id_ in ids}

    def adopt(self, client: Aws, job: Job[Any, Any], ctx: Context) -> Answer:
        """Makes the record beside it that says whose it is."""
        zone, name, type_ = _place(job)
        there = _listed(client, zone)
        if (name, type_) not in there:
            raise gone("record", str(job.address))
        if (_mark_name(name, type_), "TXT") not in there:
            _change(client, zone, ("CREATE", _mark_record(job)))
        elif not _is_ours(job, there):
            raise belongs_to_others("record", _id(job))
        return Done(_outputs(job))

    def severity(self, changes: Sequence[FieldChange]) -> Severity:
        """A name that leads elsewhere is bad."""
        return weighed(changes, frozenset({"values", "host", "host_zone"}))

    def marked(self, aws: Aws, zone: str) -> Iterator[tuple[str, Mapping[str, str]]]:
        """The records of a zone that bear a mark, by id, with the mark as tags."""
        there = _listed(aws, zone)
        for name, type_ in there:
            for one in there.get((_mark_name(name, type_), "TXT"), {}).get("ResourceRecords", ()):
                if found := _MARK.fullmatch(one["Value"]):
                    yield f"{zone}/{name}/{type_}", {LINEAGE: found["lineage"], KEY: found["key"]}

    def _one(self, aws: Aws, job: Job[Any, Any]) -> Thing | None:
        zone, name, type_ = _place(job)
        there = _listed(aws, zone)
        return there.get((name, type_)) if _is_ours(job, there) else None

    def _make(self, aws: Aws, job: Job[Any, Any]) -> Thing:
        zone = _place(job)[0]
        body = _body(asked(job))
        _change(aws, zone, ("CREATE", body), ("CREATE", _mark_record(job)))
        return body


def _listed(aws: Aws, zone: str) -> dict[tuple[str, str], Thing]:
    """The records of a zone by name and type; none where the zone is gone."""
    try:
        found = list(aws.pages(SERVICE, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone))
    except Missing:
        return {}
    return {(_plain(one["Name"]), one["Type"]): one for one in found}


def _change(aws: Aws, zone: str, *changes: tuple[str, Thing]) -> None:
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": body} for action, body in changes]}
    aws.call(SERVICE, "change_resource_record_sets", HostedZoneId=zone, ChangeBatch=batch)


def _reading(job: Job[Any, Any], there: Mapping[tuple[str, str], Thing]) -> Reading:
    _, name, type_ = _place(job)
    thing = there.get((name, type_))
    if thing is None or not _is_ours(job, there):
        return Absent()
    zone = _place(job)[0]
    return Seen({"zone": zone, "name": name, "type": type_, **_props(thing)}, {"id": _id(job), "host": name})


def _is_ours(job: Job[Any, Any], there: Mapping[tuple[str, str], Thing]) -> bool:
    _, name, type_ = _place(job)
    mark = there.get((_mark_name(name, type_), "TXT"), {})
    return any(one["Value"] == _mark(job) for one in mark.get("ResourceRecords", ()))


def _mark(job: Job[Any, Any]) -> str:
    return f'"heritage=prov lineage={job.lineage} key={job.key}"'


def _mark_record(job: Job[Any, Any]) -> Thing:
    """The record that says whose another one is."""
    _, name, type_ = _place(job)
    values = [{"Value": _mark(job)}]
    return {"Name": _mark_name(name, type_), "Type": "TXT", "TTL": 300, "ResourceRecords": values}


def _found(place: tuple[str, ...], zones: Mapping[str, Mapping[tuple[str, str], Thing]]) -> Reading:
    """What is there at a place, whoever made it."""
    zone, name, type_ = place
    thing = zones[zone].get((_plain(name), type_))
    if thing is None:
        return Absent()
    props = {"zone": zone, "name": _plain(name), "type": type_, **_props(thing)}
    return Seen(props, {"id": "/".join((zone, _plain(name), type_)), "host": _plain(name)})


def _mark_name(name: str, type_: str) -> str:
    """The name of the record that says whose another one is."""
    return f"{_BEFORE}{type_.lower()}.{name.replace('*', '_any')}"


def _place(job: Job[Any, Any]) -> tuple[str, str, str]:
    props = said(job)
    if props is None:
        zone, name, type_ = (job.id or "//").split("/")
        return zone, name, type_
    return props.zone, _plain(props.name), props.type


def _plain(name: str) -> str:
    return name.rstrip(".").lower().replace("\\052", "*")


def _id(job: Job[Any, Any]) -> str:
    return "/".join(_place(job))


def _outputs(job: Job[Any, Any]) -> DnsRecordOutputs:
    return DnsRecordOutputs(_id(job), _place(job)[1])


def _props(thing: Thing) -> dict[str, Any]:
    alias = thing.get("AliasTarget") or {}
    return {
        "values": tuple(sorted(one["Value"] for one in thing.get("ResourceRecords") or ())),
        "ttl": int(thing.get("TTL", 300)),
        "host": str(alias.get("DNSName", "")).rstrip("."),
        "host_zone": str(alias.get("HostedZoneId", "")),
    }


def _same(there: Mapping[str, Any], wanted: DnsRecordProps) -> bool:
    host = wanted.host.rstrip(".").lower()
    return there == {
        "values": tuple(sorted(wanted.values)),
        "ttl": wanted.ttl,
        "host": host,
        "host_zone": wanted.host_zone,
    }


def _body(wanted: DnsRecordProps) -> Thing:
    named = {"Name": _plain(wanted.name), "Type": wanted.type}
    if wanted.host:
        target = {"HostedZoneId": wanted.host_zone, "DNSName": wanted.host, "EvaluateTargetHealth": False}
        return {**named, "AliasTarget": target}
    return {**named, "TTL": wanted.ttl, "ResourceRecords": [{"Value": value} for value in wanted.values]}
