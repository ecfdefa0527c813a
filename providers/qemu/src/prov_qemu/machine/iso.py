"""A small read-only file system (ISO 9660 with Joliet) for handing a machine its configuration.

Source: ECMA-119 (volume descriptors, path tables, directory records) and the Joliet specification, which keeps names
as they are. A label is written as given, small letters too, since Talos and cloud-init look for `metal-iso` and
`cidata`. Equal content gives equal bytes: all dates are none.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Final

SECTOR: Final = 2048
_SYSTEM_AREA: Final = 16
_JOLIET_LEVEL_3: Final = b"%/E"

Spell = Callable[[str], bytes]


def iso(label: str, files: Mapping[str, bytes]) -> bytes:
    """An image with files in its root; names have at most 30 characters, the label at most 16."""
    names = sorted(files)
    where = _SYSTEM_AREA + 3  # primary and Joliet descriptor, terminator
    tables = (where, where + 1, where + 2, where + 3)  # little and big endian, for each of the two trees
    roots = (where + 4, where + 5)
    first = where + 6
    places: dict[str, int] = {}
    for name in names:
        places[name] = first
        first += _sectors(len(files[name]))
    total = first

    def tree(root: int, spell: Spell) -> bytes:
        records = [_record(b"\0", root, SECTOR, folder=True), _record(b"\1", root, SECTOR, folder=True)]
        spelled = sorted((spell(name), name) for name in names)
        records += [_record(text, places[name], len(files[name])) for text, name in spelled]
        found = b"".join(records)
        if len(found) > SECTOR:
            raise ValueError("too many files for one sector of a folder")
        return _padded(found)

    parts = [
        bytes(_SYSTEM_AREA * SECTOR),
        _descriptor(1, label.encode().ljust(32), total, tables[:2], roots[0]),
        _descriptor(2, _wide(label.ljust(16)), total, tables[2:], roots[1], escape=_JOLIET_LEVEL_3),
        _padded(b"\xffCD001\x01"),
        *(_padded(_path_table(root, order)) for root in roots for order in ("<", ">")),
        tree(roots[0], _plain_name(names)),
        tree(roots[1], _wide),
        *(_padded(files[name]) for name in names),
    ]
    return b"".join(parts)


def _descriptor(
    kind: int, label: bytes, total: int, tables: tuple[int, ...], root: int, escape: bytes = b""
) -> bytes:
    """A volume descriptor; ECMA-119 8.4 and 8.5."""
    blank = (lambda size: _wide(" " * (size // 2)).ljust(size, b"\0")) if escape else (lambda size: b" " * size)
    fields = [
        bytes([kind]) + b"CD001\x01\0",
        blank(32),
        label,
        bytes(8),
        _both(total, "I"),
        escape.ljust(32, b"\0"),
        _both(1, "H"),
        _both(1, "H"),
        _both(SECTOR, "H"),
        _both(10, "I"),
        struct.pack("<II", tables[0], 0),
        struct.pack(">II", tables[1], 0),
        _record(b"\0", root, SECTOR, folder=True),
        blank(128) * 4,
        blank(37) + blank(37) + blank(37),
        (b"0" * 16 + b"\0") * 4,
        b"\x01\0",
    ]
    return _padded(b"".join(fields))


def _record(name: bytes, place: int, size: int, *, folder: bool = False) -> bytes:
    """A directory record; ECMA-119 9.1. Its length is even."""
    length = 33 + len(name) + (1 - len(name) % 2)
    head = struct.pack("<BB", length, 0) + _both(place, "I") + _both(size, "I") + bytes(7)
    flags = bytes([2 if folder else 0, 0, 0]) + _both(1, "H")
    return (head + flags + bytes([len(name)]) + name).ljust(length, b"\0")


def _path_table(root: int, order: str) -> bytes:
    return struct.pack(f"{order}BBIH", 1, 0, root, 1) + b"\0\0"


def _plain_name(names: list[str]) -> Spell:
    """Names of the first tree, for readers without Joliet: `F0.;1`, since theirs take no dashes and small letters."""
    return lambda name: f"F{names.index(name)}.;1".encode()


def _wide(text: str) -> bytes:
    return text.encode("utf-16-be")


def _both(number: int, form: str) -> bytes:
    return struct.pack(f"<{form}", number) + struct.pack(f">{form}", number)


def _sectors(size: int) -> int:
    return max(1, -(-size // SECTOR))


def _padded(data: bytes) -> bytes:
    return data.ljust(_sectors(len(data)) * SECTOR, b"\0")
