"""Disk images on this computer: made sparse, on top of another image or empty, and their snapshots."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from attrs import frozen

_QCOW2: Final = b"QFI\xfb"
_SECONDS: Final = 60.0


class DiskError(OSError):
    """A disk image could not be made or read; the text is the tool's."""


@frozen
class Backing:
    """An image that others begin as."""

    path: str
    format: str


class Disks(Protocol):
    """Makes disk images. All methods raise OSError."""

    def make(self, tool: str, path: Path, format_: str, size_mib: int, backing: Backing | None) -> None:
        """Makes an image in one piece; it takes room only as it is written to."""
        ...

    def snapshots(self, tool: str, path: Path) -> list[str]:
        """The names of the snapshots of an image that nobody uses."""
        ...

    def snapshot(self, tool: str, path: Path, flag: str, name: str) -> None:
        """Takes (`-c`), goes back to (`-a`) or removes (`-d`) a snapshot of an image that nobody uses."""
        ...


class OwnDisks:
    """With `qemu-img`. `witness` is told of each "look" and "change" before it happens."""

    def __init__(self, witness: Callable[[str], None]) -> None:
        self._witness = witness

    def make(self, tool: str, path: Path, format_: str, size_mib: int, backing: Backing | None) -> None:
        self._witness("change")
        part = path.with_name(f".{path.name}.part")
        on_top = () if backing is None else ("-b", backing.path, "-F", backing.format)
        _run(tool, "create", "-q", "-f", format_, *on_top, str(part), f"{size_mib}M")
        part.chmod(0o600)
        part.replace(path)

    def snapshots(self, tool: str, path: Path) -> list[str]:
        self._witness("look")
        found = json.loads(_run(tool, "info", "--output=json", str(path)))
        return [str(item["name"]) for item in found.get("snapshots", ())]

    def snapshot(self, tool: str, path: Path, flag: str, name: str) -> None:
        self._witness("change")
        _run(tool, "snapshot", flag, name, str(path))


def keep(file: Path, own: Path) -> None:
    """Gives a file a second name, or makes a copy where that cannot be: it outlives the first one.

    Raises OSError.
    """
    part = own.with_name(f".{own.name}.part")
    part.unlink(missing_ok=True)
    try:
        os.link(file, part)
    except OSError:
        shutil.copyfile(file, part)
    part.replace(own)


def format_of(path: Path) -> str:
    """`qcow2` or `raw`, by how an image begins."""
    with path.open("rb") as file:
        return "qcow2" if file.read(4) == _QCOW2 else "raw"


def size_of(path: Path) -> int:
    """How large the disk of an image is, in MiB, rounded up; the qcow2 header has it at byte 24."""
    with path.open("rb") as file:
        head = file.read(32)
    size = int.from_bytes(head[24:32], "big") if head.startswith(_QCOW2) else path.stat().st_size
    return -(-size // 2**20)


def _run(tool: str, *arguments: str) -> str:
    try:
        done = subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise DiskError(None, f"{tool} does not come to an end") from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"{tool} failed"])[-1]
        raise DiskError(_errno_of(said), said)
    return done.stdout


def _errno_of(said: str) -> int | None:
    return errno.ENOSPC if "No space left" in said else None
