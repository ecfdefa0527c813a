"""Block devices: their names, the labels of partitions and file systems, and what a labelled volume holds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prov_standin.kernel import mount, unmount

_PLACE: Final = "/run/volume"


@dataclass(frozen=True)
class Device:
    """A disk, a CD drive or a partition; `label` is the partition's own, `size` in bytes."""

    name: str
    disk: str
    label: str
    size: int

    @property
    def path(self) -> str:
        return f"/dev/{self.name}"

    @property
    def is_disk(self) -> bool:
        return self.name == self.disk and not self.name.startswith(("sr", "loop", "ram", "fd"))


def devices() -> list[Device]:
    """All that there are now, by name."""
    found = []
    for place in sorted(Path("/sys/class/block").iterdir()):
        told = dict(line.partition("=")[::2] for line in (place / "uevent").read_text().splitlines())
        disk = place.resolve().parent.name if (place / "partition").exists() else place.name
        size = int((place / "size").read_text()) * 512
        found.append(Device(place.name, disk, told.get("PARTNAME", ""), size))
    return found


def partition(label: str, disk: str = "") -> Device | None:
    """The partition of that label, on that disk or anywhere."""
    return next((item for item in devices() if item.label == label and disk in ("", item.disk)), None)


def labelled(*labels: str) -> tuple[Device, str] | None:
    """The first volume whose file system has one of these labels, and the kind of file system."""
    for device in devices():
        kind, label = _file_system(device.path)
        if kind and label in labels:
            return device, kind
    return None


@contextlib.contextmanager
def mounted(device: Device, kind: str, *, read_only: bool = True) -> Iterator[Path]:
    """The files of a volume, as long as the block lasts; raises OSError."""
    Path(_PLACE).mkdir(exist_ok=True)
    mount(device.path, _PLACE, kind, "" if read_only else "flush", read_only=read_only)
    try:
        yield Path(_PLACE)
    finally:
        unmount(_PLACE)


def _file_system(path: str) -> tuple[str, str]:
    try:
        with open(path, "rb") as handle:
            start = handle.read(512)
            handle.seek(32768)
            volume = handle.read(2048)
    except OSError:
        return "", ""
    if volume[1:6] == b"CD001":
        return "iso9660", volume[40:72].decode("ascii", "replace").rstrip()
    if start[510:512] == b"\x55\xaa" and start[82:87] == b"FAT32":
        return "vfat", start[71:82].decode("ascii", "replace").rstrip()
    if start[510:512] == b"\x55\xaa" and start[54:57] == b"FAT":
        return "vfat", start[43:54].decode("ascii", "replace").rstrip()
    return "", ""
