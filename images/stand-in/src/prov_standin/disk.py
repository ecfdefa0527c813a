"""The system disk: whether there is one, installing to one, and what it keeps between boots."""

from __future__ import annotations

import fcntl
import os
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

from prov_standin import efi, volumes
from prov_standin.layout import SECTOR, gpt, partitions_for
from prov_standin.records import Record
from prov_standin.volumes import Device

_BLKRRPART: Final = 0x125F
_SETTLE_S: Final = 10.0


class SystemDisk:
    """A disk with the stand-in's partitions; `name` such as sda."""

    def __init__(self, name: str) -> None:
        self.name = name

    @staticmethod
    def find() -> SystemDisk | None:
        """The first disk that holds an installation."""
        found = volumes.partition("STATE")
        return SystemDisk(found.disk) if found is not None else None

    @property
    def path(self) -> str:
        return f"/dev/{self.name}"

    def read(self, label: str) -> dict[str, Any]:
        """What a partition keeps; empty where it keeps nothing. Raises OSError."""
        return self._record(label).read() or {}

    def write(self, label: str, value: dict[str, Any]) -> None:
        """Replaces what a partition keeps; raises OSError."""
        self._record(label).write(value)

    def wipe(self, label: str) -> None:
        """Erases what a partition keeps; raises OSError."""
        self._record(label).wipe()

    def wipe_everything(self) -> None:
        """Erases the table of partitions and the boot loader, so that nothing boots from here; raises OSError."""
        for label in ("META", "STATE", "EPHEMERAL"):
            self.wipe(label)
        start = volumes.partition("EFI", self.name)
        with open(self.path, "r+b", buffering=0) as handle:
            size = handle.seek(0, os.SEEK_END)
            for place in (0, size - (1 << 20)):
                handle.seek(place)
                handle.write(bytes(1 << 20))
            if start is not None:
                handle.seek(1 << 20)
                handle.write(bytes(1 << 16))
            os.fsync(handle.fileno())

    def efi(self) -> Device:
        """The EFI system partition; raises OSError where there is none."""
        return _required("EFI", self.name)

    def _record(self, label: str) -> Record:
        return Record(_required(label, self.name).path)


def install(disk: Device, loader: bytes, system: bytes) -> SystemDisk:
    """Takes a whole disk: table, boot loader, the system in slot A; raises OSError or ValueError."""
    parts = partitions_for(disk.size)
    command_line = efi.command_line_of(system)
    head, tail = gpt(disk.size, parts, uuid.uuid4())
    with open(disk.path, "r+b", buffering=0) as handle:
        handle.write(head)
        handle.seek(disk.size - len(tail))
        handle.write(tail)
        for item in parts[1:]:
            handle.seek(item.first * SECTOR)
            handle.write(bytes(1 << 16))
        os.fsync(handle.fileno())
    efi.format_fat32(disk.path, parts[0].first, parts[0].last - parts[0].first + 1, "EFI")
    _read_table(disk)
    made = SystemDisk(disk.name)
    for label in ("STATE", "META", "EPHEMERAL"):
        made.wipe(label)
    with efi.slots(made.efi()) as slots:
        slots.begin(loader)
        slots.put("a", system, command_line, proved=True)
    os.sync()
    return made


def _read_table(disk: Device) -> None:
    handle = os.open(disk.path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.fsync(handle)
        fcntl.ioctl(handle, _BLKRRPART)
    finally:
        os.close(handle)
    wait_for(lambda: volumes.partition("EPHEMERAL", disk.name) is not None, _SETTLE_S)


def wait_for(holds: Callable[[], bool], seconds: float) -> bool:
    """Whether `holds()` within so many seconds; the kernel finds devices when it finds them."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _required(label: str, disk: str) -> Device:
    found = volumes.partition(label, disk)
    if found is None:
        raise OSError(f"{disk} has no partition {label}")
    return found
