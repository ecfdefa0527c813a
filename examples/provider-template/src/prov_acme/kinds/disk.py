"""`acme.disk`: a disk, which grows in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import field, frozen

from prov_acme.client import Acme
from provisioner.sdk import Answer, Context, Done, FieldChange, Job, Reading, Seen, output, prop


@frozen
class DiskProps:
    """A disk of `size_gib` GiB."""

    name: str = prop(immutable=True)
    size_gib: int = prop()
    labels: Mapping[str, str] = field(factory=dict)


@frozen
class DiskOutputs:
    """Machines are given the `id`."""

    id: str = output()


class DiskKind:
    """Disks; they are there as soon as they are asked for."""

    props: ClassVar[type[Any]] = DiskProps
    outputs: ClassVar[type[Any]] = DiskOutputs

    def read(self, client: Acme, jobs: Sequence[Job[Any, Any]], ctx: Context) -> Mapping[str, Reading]:
        found = client.find("disk", jobs)
        return {key: _seen(thing) if isinstance(thing, Mapping) else thing for key, thing in found.items()}

    def create(self, client: Acme, job: Job[Any, Any], ctx: Context) -> Answer:
        assert job.wanted is not None
        return Done(DiskOutputs(client.make("disk", job, job.wanted.name, _body(job.wanted))["id"]))

    def update(self, client: Acme, job: Job[Any, Any], ctx: Context) -> Answer:
        assert job.wanted is not None
        return Done(DiskOutputs(client.change("disk", job, _body(job.wanted))["id"]))

    def delete(self, client: Acme, job: Job[Any, Any], ctx: Context) -> Answer:
        client.remove("disk", job)
        return Done(None)

    def consequence(self, changes: Sequence[FieldChange]) -> str:
        return "while it is in use"


def _body(props: DiskProps) -> dict[str, Any]:
    return {"name": props.name, "size_gib": props.size_gib, "labels": dict(props.labels)}


def _seen(thing: Mapping[str, Any]) -> Seen:
    return Seen({name: thing["body"][name] for name in ("name", "size_gib", "labels")}, {"id": thing["id"]})
