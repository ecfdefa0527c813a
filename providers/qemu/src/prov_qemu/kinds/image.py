"""`qemu.image`: a disk image or an ISO, fetched once and kept for a cluster as long as it needs it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from attrs import asdict, frozen

from prov_qemu.computer import Computer
from prov_qemu.errors import as_provider_errors
from prov_qemu.image.disks import format_of, keep, size_of
from prov_qemu.kinds.reading import forget_lost, read_all, removed, shown, wanted_of
from prov_qemu.records import Record
from provisioner.sdk import (
    Absent,
    Answer,
    Context,
    Done,
    Downloads,
    Job,
    Pending,
    Reading,
    Seen,
    Working,
    output,
    prop,
)

KIND: Final = "image"
_SOURCE: Final = "source"


@frozen(kw_only=True)
class ImageProps:
    """An image.

    source  an http(s) or file URL, or the path of a file on this computer; .xz, .zst and .gz are unpacked
    sha256  what the file has to have as it is served, in hexadecimal; empty where nobody says
    """

    cluster: str = prop(immutable=True)
    name: str = prop(immutable=True)
    source: str = prop(immutable=True)
    sha256: str = prop(immutable=True, default="")


@frozen
class ImageOutputs:
    """`path` of the image on this computer, `format` is raw or qcow2, `size_mib` that of its disk."""

    id: str = output()
    path: str = output()
    format: str = output()
    size_mib: int = output()


class ImageKind:
    """Images; the download is shared by all clusters, and each keeps what it uses."""

    props: ClassVar[type[Any]] = ImageProps
    outputs: ClassVar[type[Any]] = ImageOutputs

    def read(
        self, client: Computer, jobs: Sequence[Job[ImageProps, ImageOutputs]], ctx: Context
    ) -> Mapping[str, Reading]:
        """One look for all jobs; one whose file is gone is gone."""
        return read_all(client, KIND, jobs, lambda record: _seen(client, record))

    def create(self, client: Computer, job: Job[ImageProps, ImageOutputs], ctx: Context) -> Answer:
        """Fetches the image, with a checksum it must have if one is given, and keeps it."""
        wanted: ImageProps = wanted_of(job)
        new = Record(KIND, wanted.cluster, wanted.name, job.key, job.lineage, asdict(wanted))
        with as_provider_errors():
            forget_lost(client, new, lambda record: not _path(client, record).is_file())
            record = client.records.take(new)
            if not _path(client, record).is_file():
                task = ctx.task("fetch", lambda: _fetch(client, record))
                if isinstance(task, Working):
                    return Pending(id=record.id, after_s=1.0, note="fetches the image")
                path = _path(client, record)
                keep(task.value, path)
                shutil.rmtree(path.with_name(_SOURCE), ignore_errors=True)
            return Done(_outputs(client, record))

    def update(self, client: Computer, job: Job[ImageProps, ImageOutputs], ctx: Context) -> Answer:
        """Nothing of an image changes in place."""
        assert job.outputs is not None, "only what was made is updated"
        return Done(job.outputs)

    def delete(self, client: Computer, job: Job[ImageProps, ImageOutputs], ctx: Context) -> Answer:
        """Lets the image go; the download stays in the cache."""
        return removed(client, KIND, job)


def _path(client: Computer, record: Record) -> Path:
    return client.records.folder(record) / "image"


def _fetch(client: Computer, record: Record) -> Path:
    """The image, unpacked. Files of this computer may change under their names, so the cache has none of them."""
    source, sha256 = record.props["source"], record.props["sha256"]
    if "://" in source and not source.startswith("file:"):
        return client.downloads.unpacked(source, sha256=sha256).path
    url = source if "://" in source else Path(source).absolute().as_uri()
    return Downloads(client.records.folder(record) / _SOURCE).unpacked(url, sha256=sha256).path


def _outputs(client: Computer, record: Record) -> ImageOutputs:
    path = _path(client, record)
    return ImageOutputs(record.id, str(path), format_of(path), size_of(path))


def _seen(client: Computer, record: Record) -> Seen | Absent:
    if not _path(client, record).is_file():
        return Absent()
    return Seen(shown(record, ("cluster", "name", "source", "sha256")), asdict(_outputs(client, record)))
