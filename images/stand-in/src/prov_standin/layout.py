"""How a disk of the stand-in is laid out; the build and the running machine write it alike."""

from __future__ import annotations

import struct
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SYSTEM: Final = "prov stand-in, not Talos"
"""What the image calls itself wherever it says a name."""

SECTOR: Final = 512
EFI_BYTES: Final = 128 << 20
META_BYTES: Final = 1 << 20
STATE_BYTES: Final = 16 << 20
IMAGE_BYTES: Final = 192 << 20
"""Size of the raw disk images; what is left after STATE is EPHEMERAL."""

_ALIGNMENT: Final = (1 << 20) // SECTOR
_ESP_TYPE: Final = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
_DATA_TYPE: Final = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
_ENTRIES: Final = 128
_TABLE_SECTORS: Final = _ENTRIES * 128 // SECTOR


@dataclass(frozen=True)
class Partition:
    """One partition; `first` and `last` are sectors, both inclusive."""

    label: str
    kind: uuid.UUID
    first: int
    last: int


def partitions_for(size: int) -> tuple[Partition, ...]:
    """The partitions of a disk of `size` bytes; raises ValueError where they do not fit."""
    made: list[Partition] = []
    first = _ALIGNMENT
    for label, length in (("EFI", EFI_BYTES), ("META", META_BYTES), ("STATE", STATE_BYTES), ("EPHEMERAL", 0)):
        last = first + length // SECTOR - 1 if length else size // SECTOR - _ALIGNMENT - 1
        if last <= first or (last + _TABLE_SECTORS + 1) * SECTOR > size:
            raise ValueError(f"a disk of {size >> 20} MiB is too small")
        made.append(Partition(label, _ESP_TYPE if label == "EFI" else _DATA_TYPE, first, last))
        first = last + 1
    return tuple(made)


def gpt(size: int, partitions: Sequence[Partition], seed: uuid.UUID) -> tuple[bytes, bytes]:
    """The first and the last sectors of a disk with this table; its GUIDs are made of `seed`."""
    table = b"".join(_entry(item, uuid.uuid5(seed, item.label)) for item in partitions).ljust(_ENTRIES * 128, b"\0")
    last = size // SECTOR - 1
    head = _header(1, last, 2, last, table, seed)
    tail = _header(last, 1, last - _TABLE_SECTORS, last, table, seed)
    return _protective(last) + head + table, table + tail


def entry_text(slot: str, generation: int, command_line: str) -> str:
    """The boot loader's entry for a slot; the one with the highest generation boots unless its tries are used up."""
    return (
        f"title {SYSTEM} ({slot})\nsort-key prov-stand-in\nversion {generation}\nefi /slots/{slot}.efi\n"
        f"options {command_line} standin.slot={slot}\n"
    )


def _header(own: int, other: int, table_at: int, last: int, table: bytes, disk: uuid.UUID) -> bytes:
    usable = (2 + _TABLE_SECTORS, last - _TABLE_SECTORS - 1)
    places = struct.pack("<QQQQ16sQII", own, other, *usable, disk.bytes_le, table_at, _ENTRIES, 128)
    tail = places + struct.pack("<I", zlib.crc32(table))
    start = b"EFI PART" + struct.pack("<II", 0x10000, 92)
    checksum = zlib.crc32(start + bytes(8) + tail)
    return (start + struct.pack("<II", checksum, 0) + tail).ljust(SECTOR, b"\0")


def _entry(partition: Partition, number: uuid.UUID) -> bytes:
    name = partition.label.encode("utf-16-le").ljust(72, b"\0")
    return partition.kind.bytes_le + number.bytes_le + struct.pack("<QQQ", partition.first, partition.last, 0) + name


def _protective(last: int) -> bytes:
    record = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, min(last, 0xFFFFFFFF))
    return (bytes(446) + record).ljust(510, b"\0") + b"\x55\xaa"
