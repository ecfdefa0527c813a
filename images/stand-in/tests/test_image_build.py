"""The image before it boots."""

from __future__ import annotations

import hashlib
import json
import lzma
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.stand_in import SCHEMATIC

pytestmark = [pytest.mark.image, pytest.mark.timeout(900)]

Build = Callable[..., str]

MOST_BYTES = 60 << 20
FORBIDDEN = re.compile(
    r"(^|/)(sh|bash|dash|ash|busybox|sshd?|dropbear|apt(-get)?|dpkg|pip\d?|rpm|login|getty|agetty|nc|wget|curl|gcc|perl)$"
)


def names(archive: bytes) -> list[str]:
    """The paths in one or more `newc` archives."""
    found, place = [], 0
    while (place := archive.find(b"070701", place)) >= 0:
        length = int(archive[place + 94 : place + 102], 16)
        size = int(archive[place + 54 : place + 62], 16)
        name = archive[place + 110 : place + 110 + length - 1].decode()
        if name != "TRAILER!!!":
            found.append(name)
        place = -(-(place + 110 + length) // 4) * 4 + size
    return found


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_two_builds_are_the_same(factory: Path, build: Build, tmp_path: Path) -> None:
    """Every artifact of a second build has the same bytes."""
    from_scratch = tmp_path / "out"
    build(from_scratch, "--version", "v1.13.9")
    second = digests(from_scratch)
    first = {name: digest for name, digest in digests(factory).items() if name in second}

    assert len(second) > 15
    assert first == second


def test_artifacts_have_talos_names_and_are_small(factory: Path) -> None:
    """What an Image Factory would serve is there under its names, and nothing is over 60 MiB."""
    folder = factory / "image" / SCHEMATIC / "v1.13.9"
    wanted = ["metal-amd64.iso", "metal-amd64.raw.zst", "metal-amd64-uki.efi", "nocloud-amd64.raw.xz"]
    wanted += ["kernel-amd64", "initramfs-amd64.xz", "cmdline-metal-amd64", "installer-amd64.tar"]
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}

    assert set(wanted) <= set(sizes)
    assert max(sizes.values()) < MOST_BYTES, sizes


def test_there_is_nothing_to_log_in_with(factory: Path) -> None:
    """The initramfs has one program, Python, and neither shell nor SSH nor package manager; no sources either."""
    packed = factory / "image" / SCHEMATIC / "v1.13.9" / "initramfs-amd64.xz"
    found = names(lzma.decompress(packed.read_bytes()))

    assert [name for name in found if name.startswith("usr/bin/")] == ["usr/bin/python3.11"]
    assert [name for name in found if FORBIDDEN.search(name)] == []
    assert [name for name in found if name.endswith(".py")] == []
    assert "init" in found


def test_a_registry_finds_the_installer(factory: Path) -> None:
    """The manifest of a version leads to layers that are there, by their digests."""
    repository = factory / "v2" / "metal-installer" / SCHEMATIC
    manifest = json.loads((repository / "manifests" / "v1.13.9").read_bytes())
    for item in [manifest["config"], *manifest["layers"]]:
        blob = (repository / "blobs" / item["digest"]).read_bytes()

        assert (len(blob), "sha256:" + hashlib.sha256(blob).hexdigest()) == (item["size"], item["digest"])
