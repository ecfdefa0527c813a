"""An EFI system partition: formatting it, and the two slots with their boot entries.

systemd-boot takes the entry with the highest generation whose tries are not used up. A new slot gets one try,
in the name of its entry: `b+1.conf` becomes `b+0-1.conf` as it boots, and `b.conf` once the machine is well.
A slot that never gets that far is passed over at the next boot, and the other one is taken.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prov_standin import volumes
from prov_standin.layout import SECTOR, entry_text
from prov_standin.volumes import Device

_ENTRY: Final = re.compile(r"^([ab])(?:\+(\d+)(?:-\d+)?)?\.conf$")
_RESERVED: Final = 32


@dataclass(frozen=True)
class Entry:
    """A boot entry. `tries` is what is left of them; None for a slot that has proved itself."""

    slot: str
    generation: int
    tries: int | None
    path: Path

    @property
    def bootable(self) -> bool:
        return self.tries is None or self.tries > 0


class Slots:
    """The boot entries and systems on a mounted EFI system partition."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries = folder / "loader/entries"

    def entries(self) -> dict[str, Entry]:
        """The entries by slot."""
        found = {}
        for path in sorted(self._entries.glob("*.conf")):
            match = _ENTRY.match(path.name)
            if match is not None:
                number = re.search(r"^version (\d+)$", path.read_text(), re.MULTILINE)
                tries = int(match.group(2)) if match.group(2) else None
                found[match.group(1)] = Entry(match.group(1), int(number.group(1)) if number else 0, tries, path)
        return found

    def begin(self, loader: bytes) -> None:
        """Lays out an empty partition."""
        for name in ("EFI/BOOT", "slots", "loader/entries"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        (self._folder / "EFI/BOOT/BOOTX64.EFI").write_bytes(loader)
        (self._folder / "loader/loader.conf").write_text("timeout 0\n")

    def put(self, slot: str, system: bytes, command_line: str, *, proved: bool) -> None:
        """Writes a system to a slot and makes it the next to boot; unless it is proved it gets one try."""
        entries = self.entries()
        if slot in entries:
            entries[slot].path.unlink()
        (self._folder / f"slots/{slot}.efi").write_bytes(system)
        self._prefer(slot, command_line, proved=proved)

    def return_to(self, slot: str) -> None:
        """Makes what is in a slot the next to boot, with one try; raises KeyError for an empty slot."""
        entry = self.entries()[slot]
        text = entry.path.read_text()
        options = re.search(r"^options (.*) standin\.slot=[ab]$", text, re.MULTILINE)
        entry.path.unlink()
        self._prefer(slot, options.group(1) if options else "", proved=False)

    def prove(self, slot: str) -> bool:
        """Takes the limit of tries off a slot; true where it had one."""
        entry = self.entries().get(slot)
        if entry is None or entry.tries is None:
            return False
        entry.path.rename(self._entries / f"{slot}.conf")
        return True

    def _prefer(self, slot: str, command_line: str, *, proved: bool) -> None:
        newest = max((entry.generation for entry in self.entries().values()), default=0)
        name = f"{slot}.conf" if proved else f"{slot}+1.conf"
        (self._entries / name).write_text(entry_text(slot, newest + 1, command_line))


@contextmanager
def slots(partition: Device) -> Iterator[Slots]:
    """The slots on a partition, as long as the block lasts; raises OSError."""
    with volumes.mounted(partition, "vfat", read_only=False) as folder:
        yield Slots(folder)


def command_line_of(system: bytes) -> str:
    """The command line inside a system; raises ValueError for what is not a whole EFI program of ours."""
    sections = _sections(system)
    missing = [name for name in (".linux", ".initrd", ".cmdline") if name not in sections]
    if missing:
        raise ValueError(f"the system has no {' and no '.join(missing)}")
    at, length = sections[".cmdline"]
    return system[at : at + length].decode("utf-8", "replace").strip("\0 \n")


def _sections(program: bytes) -> dict[str, tuple[int, int]]:
    """Where the sections of an EFI program are: offset and length."""
    (header,) = struct.unpack_from("<I", program, 0x3C) if program[:2] == b"MZ" and len(program) > 512 else (0,)
    if not header or program[header : header + 4] != b"PE\0\0":
        raise ValueError("the system is not an EFI program")
    count, optional = struct.unpack_from("<H12xH", program, header + 6)
    found = {}
    for number in range(count):
        name, size, _, stored, at = struct.unpack_from("<8sIIII", program, header + 24 + optional + 40 * number)
        if at + stored > len(program):
            raise ValueError("the system is cut short")
        found[name.rstrip(b"\0").decode("ascii", "replace")] = (at, min(size, stored))
    return found


def format_fat32(path: str, first: int, sectors: int, label: str) -> None:
    """Makes an empty FAT32 file system `sectors` long, beginning at sector `first` of a disk."""
    table = -(-(sectors - _RESERVED) // (SECTOR // 4 + 2)) + 1
    record = _boot_record(sectors, table, label)
    free = sectors - _RESERVED - 2 * table - 1
    information = b"RRaA".ljust(484, b"\0") + b"rrAa" + struct.pack("<II", free, 3)
    information = information.ljust(510, b"\0") + b"\x55\xaa"
    fat = struct.pack("<III", 0x0FFFFFF8, 0x0FFFFFFF, 0x0FFFFFFF).ljust(table * SECTOR, b"\0")
    root = (label.encode().ljust(11) + b"\x08").ljust(SECTOR, b"\0")
    with open(path, "r+b", buffering=0) as handle:
        handle.seek(first * SECTOR)
        start = (record + information).ljust(6 * SECTOR, b"\0") + record + information
        handle.write(start.ljust(_RESERVED * SECTOR, b"\0") + fat + fat + root)


def _boot_record(sectors: int, table: int, label: str) -> bytes:
    fields = struct.pack("<HBHBHHBHHHII", SECTOR, 1, _RESERVED, 2, 0, 0, 0xF8, 0, 32, 2, 0, sectors)
    fields += struct.pack("<IHHIHH12xBBBI", table, 0, 0, 2, 1, 6, 0x80, 0, 0x29, 0x53544E45)
    return (b"\xeb\x58\x90STANDIN " + fields + label.encode().ljust(11) + b"FAT32   ").ljust(510, b"\0") + b"\x55\xaa"
