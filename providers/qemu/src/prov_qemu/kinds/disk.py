"""`qemu.disk`: a disk of a machine, empty or as an image has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from attrs import asdict, frozen

from prov_qemu.computer import Computer
from prov_qemu.errors import as_provider_errors
from prov_qemu.image.disks import Backing, keep
from prov_qemu.kinds.reading import forget_lost, read_all, removed, shown, wanted_of
from prov_qemu.machine.tools import tools_of
from prov_qemu.records import Record
from provisioner.sdk import Absent, Answer, Context, Done, Fatal, Job, Reading, Seen, output, prop

KIND: Final = "disk"
FORMATS: Final = ("qcow2", "raw")


@frozen(kw_only=True)
class DiskProps:
    """A disk, which takes room only as it is written to.

    size_gib        how large the machine sees it
    format          qcow2, which knows snapshots, or raw
    backing         the path of an image it begins as; empty for an empty disk
    backing_format  of that image
    """

    cluster: str = prop(immutable=True)
    name: str = prop(immutable=True)
    size_gib: int = prop(immutable=True)
    format: str = prop(immutable=True, default="qcow2")
    backing: str = prop(birth=True, default="")
    backing_format: str = prop(birth=True, default="raw")


@frozen
class DiskOutputs:
    """`path` of the disk on this computer; a disk that is made anew has another one."""

    id: str = output()
    path: str = output()


class DiskKind:
    """Disks; they are there as soon as they are asked for."""

    props: ClassVar[type[Any]] = DiskProps
    outputs: ClassVar[type[Any]] = DiskOutputs

    def read(
        self, client: Computer, jobs: Sequence[Job[DiskProps, DiskOutputs]], ctx: Context
    ) -> Mapping[str, Reading]:
        """One look for all jobs; one whose file is gone is gone."""
        return read_all(client, KIND, jobs, lambda record: _seen(client, record))

    def create(self, client: Computer, job: Job[DiskProps, DiskOutputs], ctx: Context) -> Answer:
        """Makes the disk where it is not there yet."""
        wanted: DiskProps = wanted_of(job)
        _check(wanted)
        tools = tools_of(client.facts)
        new = Record(KIND, wanted.cluster, wanted.name, job.key, job.lineage, asdict(wanted))
        with as_provider_errors():
            forget_lost(client, new, lambda record: not _path(client, record).exists())
            record = client.records.take(new)
            path = _path(client, record)
            if not path.exists():
                backing = _backing(wanted, path) if wanted.backing else None
                client.disks.make(tools.qemu_img, path, wanted.format, wanted.size_gib * 1024, backing)
        return Done(DiskOutputs(record.id, str(path)))

    def update(self, client: Computer, job: Job[DiskProps, DiskOutputs], ctx: Context) -> Answer:
        """Nothing of a disk changes in place."""
        assert job.outputs is not None, "only what was made is updated"
        return Done(job.outputs)

    def delete(self, client: Computer, job: Job[DiskProps, DiskOutputs], ctx: Context) -> Answer:
        """Removes the disk with all that is on it."""
        return removed(client, KIND, job)


def _check(wanted: DiskProps) -> None:
    if wanted.format not in FORMATS or wanted.size_gib < 1:
        raise Fatal(
            "there are no such disks",
            detail=f"a disk of {wanted.size_gib} GiB in the format {wanted.format!r}",
            remedy=f"give it at least 1 GiB, and the format {' or '.join(FORMATS)}",
            effect=False,
        )
    if wanted.backing and wanted.format != "qcow2":
        raise Fatal(
            "only a qcow2 disk can begin as an image",
            detail=f"the format is {wanted.format!r}",
            remedy="take the format qcow2",
            effect=False,
        )


def _backing(wanted: DiskProps, path: Path) -> Backing:
    """The image under a name of the disk's own, since a disk needs what it began as for all its life."""
    own = path.with_name("base")
    keep(Path(wanted.backing), own)
    return Backing(str(own), wanted.backing_format)


def _path(client: Computer, record: Record) -> Path:
    return client.records.folder(record) / f"{record.key[-8:].lower()}.{record.props['format']}"


def _seen(client: Computer, record: Record) -> Seen | Absent:
    path = _path(client, record)
    if not path.exists():
        return Absent()
    names = ("cluster", "name", "size_gib", "format", "backing", "backing_format")
    return Seen(shown(record, names), {"id": record.id, "path": str(path)})
