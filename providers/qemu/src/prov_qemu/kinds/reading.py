"""What all kinds do alike with the records: many objects are read with one look, and what goes is removed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prov_qemu.computer import Computer
from prov_qemu.errors import as_provider_errors
from prov_qemu.records import Record, of_job
from provisioner.sdk import Absent, Answer, Done, Job, Pending, Reading, Seen


def read_all(
    client: Computer, kind: str, jobs: Sequence[Job[Any, Any]], seen: Callable[[Record], Seen | Absent]
) -> dict[str, Reading]:
    """The reading of each job, by key."""
    with as_provider_errors():
        records = client.records.all(kind)
        found = {job.key: of_job(records, job.key, job.id, job.lineage) for job in jobs}
        return {key: Absent() if record is None else seen(record) for key, record in found.items()}


def record_of(client: Computer, kind: str, job: Job[Any, Any]) -> Record | None:
    """The object of one job; raises OSError."""
    return of_job(client.records.all(kind), job.key, job.id, job.lineage)


def forget_lost(client: Computer, new: Record, lost: Callable[[Record], bool]) -> None:
    """Removes the record of an object of ours whose file is lost, so that its name is free for a new one."""
    there = client.records.find(new.kind, new.cluster, new.name)
    if there is not None and there.key != new.key and there.lineage == new.lineage and lost(there):
        client.records.remove(there)


def removed(client: Computer, kind: str, job: Job[Any, Any], what: str = "") -> Answer:
    """Removes the object of a job with all there is of it; `what` names its process, which is ended first."""
    with as_provider_errors():
        record = record_of(client, kind, job)
        if record is None:
            return Done(None)
        folder = client.records.folder(record)
        if what and client.processes.alive(folder):
            client.processes.kill(folder)
            return Pending(id=record.id, after_s=0.2, note=f"waits for the {what} to end")
        client.records.remove(record)
        return Done(None)


def wanted_of(job: Job[Any, Any]) -> Any:
    """The props to reach, which the engine knows when it creates or updates."""
    assert job.wanted is not None
    return job.wanted


def shown(record: Record, names: Sequence[str]) -> Mapping[str, Any]:
    """The props of a record, lists as the tuples they were."""
    values = {name: record.props[name] for name in names}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
