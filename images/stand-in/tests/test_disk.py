"""What the stand-in writes to disks, read by programs that are not its own where there are any."""

from __future__ import annotations

import struct
import uuid
from itertools import pairwise
from pathlib import Path

import pytest
from prov_standin import efi
from prov_standin.efi import Slots
from prov_standin.layout import IMAGE_BYTES, SECTOR, entry_text, gpt, partitions_for
from prov_standin.records import Record


@pytest.fixture
def record(tmp_path: Path) -> Record:
    path = tmp_path / "partition"
    path.write_bytes(bytes(1 << 16))
    return Record(str(path))


def test_a_record_is_the_last_one_written(record: Record) -> None:
    """Nothing at first, then what was written last; a wiped one is empty again."""
    assert record.read() is None
    for number in range(5):
        record.write({"number": number})
    assert record.read() == {"number": 4}

    record.wipe()
    assert record.read() is None


def test_a_torn_write_leaves_the_one_before(record: Record, tmp_path: Path) -> None:
    """Whatever part of a write reached the disk before power failed, the value is the new one or the old one."""
    path = tmp_path / "partition"
    record.write({"value": "old"})
    before = path.read_bytes()
    record.write({"value": "new"})
    after = path.read_bytes()
    changed = [place for place in range(len(after)) if before[place] != after[place]]
    first, last = changed[0], changed[-1] + 1
    seen = set()
    for end in range(first, last + 1):
        path.write_bytes(before[:first] + after[first:end] + before[end:])
        seen.add(str(record.read()))

    assert seen == {"{'value': 'old'}", "{'value': 'new'}"}


def test_too_large_a_value_is_refused(record: Record) -> None:
    """What does not fit in half of a partition is refused, and what was there stays."""
    record.write({"value": "small"})
    with pytest.raises(ValueError, match="do not fit"):
        record.write({"value": "x" * (1 << 20)})

    assert record.read() == {"value": "small"}


def test_partitions_neither_overlap_nor_leave_the_disk() -> None:
    """They follow each other, begin at whole mebibytes, and leave room for the second table."""
    for size in (IMAGE_BYTES, 2 << 30, 10 << 30):
        parts = partitions_for(size)
        assert [part.label for part in parts] == ["EFI", "META", "STATE", "EPHEMERAL"]
        assert all(before.last + 1 == after.first for before, after in pairwise(parts))
        assert all(part.first * SECTOR % (1 << 20) == 0 for part in parts)
        assert (parts[-1].last + 34) * SECTOR <= size
    with pytest.raises(ValueError, match="too small"):
        partitions_for(64 << 20)


def test_the_two_tables_point_at_each_other() -> None:
    """The header at the start and the one at the end name each other's sectors."""
    head, tail = gpt(IMAGE_BYTES, partitions_for(IMAGE_BYTES), uuid.UUID(int=7))
    last = IMAGE_BYTES // SECTOR - 1
    start, end = head[SECTOR : 2 * SECTOR], tail[-SECTOR:]

    assert (start[:8], end[:8]) == (b"EFI PART", b"EFI PART")
    assert struct.unpack_from("<QQ", start, 24) == (1, last)
    assert struct.unpack_from("<QQ", end, 24) == (last, 1)
    assert head[2 * SECTOR :] == tail[:-SECTOR]


@pytest.fixture
def slots(tmp_path: Path) -> Slots:
    """A partition with a proved system in slot A."""
    made = Slots(tmp_path)
    made.begin(b"loader")
    made.put("a", b"one", "console=ttyS0", proved=True)
    return made


def boot(slots: Slots, folder: Path) -> str:
    """Does what systemd-boot does: picks an entry, and takes one of its tries."""
    entries = [entry for entry in slots.entries().values() if entry.bootable]
    chosen = max(entries, key=lambda entry: entry.generation)
    if chosen.tries is not None:
        name = f"{chosen.slot}+{chosen.tries - 1}-1.conf"
        chosen.path.rename(folder / "loader/entries" / name)
    return chosen.slot


def test_an_upgrade_gets_one_try(slots: Slots, tmp_path: Path) -> None:
    """The other slot boots once; if nothing proves it, the old one is next, for good."""
    slots.put("b", b"two", "console=ttyS0", proved=False)

    assert [boot(slots, tmp_path) for _ in range(3)] == ["b", "a", "a"]


def test_a_proved_upgrade_stays(slots: Slots, tmp_path: Path) -> None:
    """Once it is proved it boots every time; going back is a try of the other slot."""
    slots.put("b", b"two", "console=ttyS0", proved=False)
    assert boot(slots, tmp_path) == "b"
    assert slots.prove("b")
    assert not slots.prove("b")
    assert [boot(slots, tmp_path) for _ in range(2)] == ["b", "b"]

    slots.return_to("a")
    assert [boot(slots, tmp_path) for _ in range(2)] == ["a", "b"]


def test_there_is_nothing_to_return_to_at_first(slots: Slots) -> None:
    """The second slot is empty until an upgrade fills it."""
    with pytest.raises(KeyError):
        slots.return_to("b")


def test_an_entry_hands_its_slot_to_the_system() -> None:
    """The kernel's arguments name the slot, behind the image's own arguments."""
    text = entry_text("b", 7, "talos.platform=metal quiet")

    assert "options talos.platform=metal quiet standin.slot=b\n" in text
    assert "version 7\n" in text


@pytest.mark.parametrize("data", [b"", b"MZ", b"x" * 4096, b"MZ" + bytes(4094)])
def test_what_is_no_system_is_refused(data: bytes) -> None:
    """Rubbish never gets into a slot."""
    with pytest.raises(ValueError, match="system"):
        efi.command_line_of(data)
