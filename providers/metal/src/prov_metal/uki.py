"""Kernel arguments of a unified kernel image: they are a section of an EFI program, which can be exchanged.

Source: the PE format as Microsoft has it, and systemd's `systemd-stub(7)`: the arguments are the section `.cmdline`,
as long as its size in memory says. An image that is signed is refused: another byte, and nobody's firmware takes it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from prov_metal.arguments import joined
from provisioner.sdk import OperatorNeeded

_SIGNATURES = 4
"""Number of the directory that names the certificates of an image."""


@frozen
class _Section:
    at: int
    name: bytes
    size: int
    address: int
    raw_size: int
    raw_at: int


def with_arguments(image: Path, arguments: str) -> bytes:
    """The program with these behind its own arguments, see `joined`; raises OperatorNeeded where that cannot be."""
    try:
        data = bytearray(image.read_bytes())
        header = struct.unpack_from("<I", data, 0x3C)[0]
        if data[:2] != b"MZ" or data[header : header + 4] != b"PE\0\0":
            raise _unusable(image, "it is no EFI program")
        if _signed(data, header):
            raise _unusable(image, "it is signed, and what is signed cannot be given arguments")
        sections = [*_sections(data, header)]
        ours = [section for section in sections if section.name == b".cmdline"]
        if not ours:
            raise _unusable(image, "it has no section .cmdline")
        for section in ours:
            _exchange(data, header, section, sections, arguments, image)
    except (OSError, struct.error) as err:
        raise _unusable(image, str(err)) from None
    return bytes(data)


def _sections(data: bytearray, header: int) -> Iterator[_Section]:
    count, optional = struct.unpack_from("<H", data, header + 6)[0], struct.unpack_from("<H", data, header + 20)[0]
    for number in range(count):
        at = header + 24 + optional + 40 * number
        name, size, address, raw_size, raw_at = struct.unpack_from("<8sIIII", data, at)
        yield _Section(at, name.rstrip(b"\0"), size, address, raw_size, raw_at)


def _signed(data: bytearray, header: int) -> bool:
    wide = struct.unpack_from("<H", data, header + 24)[0] == 0x20B
    directory = header + 24 + (112 if wide else 96) + 8 * _SIGNATURES
    return struct.unpack_from("<II", data, directory) != (0, 0)


def _exchange(
    data: bytearray, header: int, section: _Section, sections: list[_Section], arguments: str, image: Path
) -> None:
    """Puts the longer text where the section is, or behind everything else if there is no room."""
    old = bytes(data[section.raw_at : section.raw_at + min(section.size, section.raw_size)]).rstrip(b"\0 \n")
    new = joined(old.decode(errors="surrogateescape"), arguments).encode(errors="surrogateescape")
    later = [other.address for other in sections if other.address > section.address]
    alignment, file_alignment = struct.unpack_from("<II", data, header + 24 + 32)
    if later and section.address + len(new) > min(later):
        raise _unusable(image, f"there is no room for {len(arguments)} more bytes of arguments")
    raw_size, raw_at = section.raw_size, section.raw_at
    if len(new) > raw_size:
        data.extend(b"\0" * (-len(data) % file_alignment))
        raw_at, raw_size = len(data), len(new) + (-len(new) % file_alignment)
        data.extend(b"\0" * raw_size)
    data[raw_at : raw_at + raw_size] = new.ljust(raw_size, b"\0")
    struct.pack_into("<IIII", data, section.at + 8, len(new), section.address, raw_size, raw_at)
    end = section.address + len(new)
    whole = struct.unpack_from("<I", data, header + 24 + 56)[0]
    struct.pack_into("<I", data, header + 24 + 56, max(whole, end + (-end % alignment)))


def _unusable(image: Path, detail: str) -> OperatorNeeded:
    return OperatorNeeded(
        "hosts cannot boot this program",
        detail=f"{image.name}: {detail}",
        remedy="give the provider an unsigned UKI or an ISO as `http_image`, or boot from media",
    )
