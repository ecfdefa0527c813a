"""A unified kernel image gets further arguments, as who reads such images for the stand-in of Talos finds them."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from prov_metal.arguments import joined
from prov_metal.uki import with_arguments
from prov_standin.efi import command_line_of

from provisioner.sdk import OperatorNeeded

ALIGNED, FILE_ALIGNED, HEADER = 4096, 512, 0x80
OPTIONAL = 112 + 16 * 8


def program(arguments: bytes, *, gap: int = ALIGNED, signed: bool = False, name: bytes = b".cmdline") -> bytes:
    """A program for UEFI with arguments and, behind them in memory, a kernel and its initramfs; none of it runs."""
    contents = [(name, arguments), (b".linux", b"kernel" * 100), (b".initrd", b"initramfs" * 50)]
    head = HEADER + 24 + OPTIONAL + 40 * len(contents)
    raw, table, address = bytearray(), bytearray(), 0x10000
    at = head + -head % FILE_ALIGNED
    begin = at
    for title, content in contents:
        padded = content.ljust(len(content) + -len(content) % FILE_ALIGNED, b"\0")
        table += struct.pack("<8sIIII16x", title, len(content), address, len(padded), at)
        raw += padded
        at += len(padded)
        address += gap
    data = bytearray(begin)
    data[0:2] = b"MZ"
    struct.pack_into("<I", data, 0x3C, HEADER)
    data[HEADER : HEADER + 4] = b"PE\0\0"
    struct.pack_into("<HHIIIHH", data, HEADER + 4, 0x8664, len(contents), 0, 0, 0, OPTIONAL, 0)
    struct.pack_into("<H", data, HEADER + 24, 0x20B)
    struct.pack_into("<II", data, HEADER + 24 + 32, ALIGNED, FILE_ALIGNED)
    struct.pack_into("<I", data, HEADER + 24 + 56, address)
    if signed:
        struct.pack_into("<II", data, HEADER + 24 + 112 + 8 * 4, 1000, 100)
    data[HEADER + 24 + OPTIONAL : HEADER + 24 + OPTIONAL + len(table)] = table
    return bytes(data + raw)


def _file(tmp_path: Path, content: bytes) -> Path:
    file = tmp_path / "metal-amd64-uki.efi"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("more", ["talos.config=http://10.0.0.5:8069/x.yaml", "x" * 1500], ids=["short", "long"])
def test_arguments_come_behind_those_that_are_there(tmp_path: Path, more: str) -> None:
    """Within the section, or moved to the end of the file where that has no room; all else stays."""
    before = program(b"talos.platform=metal console=ttyS0\n\0")
    found = with_arguments(_file(tmp_path, before), more)
    assert command_line_of(found) == f"talos.platform=metal console=ttyS0 {more}"
    assert b"kernel" * 100 in found
    assert len(found) % FILE_ALIGNED == 0
    assert _file(tmp_path, before).read_bytes() == before


def test_there_is_one_place_for_the_configuration(tmp_path: Path) -> None:
    """Talos takes the first that it finds, which would be that of the image."""
    before = program(b'console=ttyS0 talos.config=metal-iso dyndbg="file a +p" panic=1')
    found = with_arguments(_file(tmp_path, before), "talos.config=http://10.0.0.5/x?a=${uuid}&b=1")
    assert command_line_of(found) == (
        'console=ttyS0 dyndbg="file a +p" panic=1 talos.config=http://10.0.0.5/x?a=${uuid}&b=1'
    )
    assert joined("a talos.config=none  b\n", "") == "a b"


def test_what_does_not_fit_into_memory_is_refused(tmp_path: Path) -> None:
    """The next part of the program begins there."""
    with pytest.raises(OperatorNeeded, match="cannot boot this program") as caught:
        with_arguments(_file(tmp_path, program(b"a")), "x" * 5000)
    assert "no room for 5000" in caught.value.detail


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "metal-amd64-uki.efi"),
        (b"MZ" + bytes(1000), "no EFI program"),
        (program(b"a", signed=True), "it is signed"),
        (program(b"a", name=b".text"), "no section .cmdline"),
        (program(b"a")[:300], "metal-amd64-uki.efi"),
    ],
)
def test_what_is_no_such_image_is_told(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(OperatorNeeded, match="cannot boot this program") as caught:
        with_arguments(_file(tmp_path, content), "x")
    assert says in caught.value.detail
