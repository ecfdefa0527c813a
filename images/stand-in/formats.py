"""The formats an image comes in, made without root and with the same bytes every time."""

from __future__ import annotations

import hashlib
import io
import json
import os
import struct
import subprocess
import tarfile
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from prov_standin.layout import EFI_BYTES, IMAGE_BYTES, SYSTEM, entry_text, gpt, partitions_for

EPOCH = 1767225600
"""2026-01-01, the time of everything in an image."""


@dataclass(frozen=True)
class Base:
    """The parts all images share."""

    archive: Path
    kernel: Path
    initrd: Path
    stub: Path
    loader: Path


def cpio(entries: Iterable[tuple[str, int, bytes]]) -> bytes:
    """A `newc` archive of (path, mode, content), padded so that another may follow; a console comes first."""
    out = bytearray()
    for number, (name, mode, content) in enumerate(entries, start=1):
        encoded = name.encode() + b"\0"
        device = (5, 1) if mode & 0o170000 == 0o020000 else (0, 0)
        numbers = (number, mode, 0, 0, 1, EPOCH, len(content), 0, 0, *device, len(encoded), 0)
        out += b"070701" + b"".join(b"%08X" % value for value in numbers) + encoded
        out += b"\0" * (-len(out) % 4) + content
        out += b"\0" * (-len(out) % 4)
    end = b"TRAILER!!!\0"
    out += b"070701" + b"".join(b"%08X" % value for value in (0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, len(end), 0)) + end
    return bytes(out + b"\0" * (-len(out) % 512))


def tree(root: Path) -> Iterator[tuple[str, int, bytes]]:
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            yield name, 0o120777, os.readlink(path).encode()
        elif path.is_dir():
            yield name, 0o040755, b""
            if name == "dev":
                yield "dev/console", 0o020600, b""
        else:
            executable = name == "init" or name.startswith(("usr/bin/", "usr/lib64/"))
            yield name, 0o100755 if executable else 0o100444, path.read_bytes()


def uki(target: Path, base: Base, initrd: Path, command_line: str, version: str) -> None:
    """One EFI program of kernel, initramfs and command line."""
    release = target.with_suffix(".osrel")
    release.write_text(f'ID=prov-stand-in\nNAME="{SYSTEM}"\nPRETTY_NAME="{SYSTEM}"\nVERSION_ID={version}\n')
    arguments = target.with_suffix(".cmdline")
    arguments.write_text(command_line)
    sections: list[str] = []
    address = 0x20000
    for name, path in {".osrel": release, ".cmdline": arguments, ".linux": base.kernel, ".initrd": initrd}.items():
        sections += ["--add-section", f"{name}={path}", "--change-section-vma", f"{name}={address:#x}"]
        address += -(-path.stat().st_size // 0x10000 + -1) * 0x10000
    run(["objcopy", *sections, str(base.stub), str(target)])
    _clear_time_stamp(target)


def _clear_time_stamp(program: Path) -> None:
    """Sets the link time in the header of an EFI program to zero, and the checksum that was made with it."""
    with program.open("r+b") as handle:
        handle.seek(0x3C)
        (header,) = struct.unpack("<I", handle.read(4))
        for place in (header + 8, header + 24 + 64):
            handle.seek(place)
            handle.write(bytes(4))


def fat(image: Path, size: int, files: Sequence[tuple[str, Path]], number: str, label: str) -> None:
    """A FAT32 file system with the same bytes every time."""
    image.unlink(missing_ok=True)
    with image.open("wb") as handle:
        handle.truncate(size)
    run(["mkfs.vfat", "-F", "32", "-s", "1", "--invariant", "-i", number, "-n", label, str(image)])
    folders = sorted({str(parent) for name, _ in files for parent in Path(name).parents if str(parent) != "."})
    for folder in folders:
        run(["mmd", "-i", str(image), f"::{folder}"])
    for name, path in files:
        os.utime(path, (EPOCH, EPOCH))
        run(["mcopy", "-m", "-i", str(image), str(path), f"::{name}"])


def iso(target: Path, work: Path, uki: Path, label: str) -> None:
    """A CD that UEFI boots."""
    folder = work / f"{target.name}.d"
    folder.mkdir()
    size = max(-(-(uki.stat().st_size + (2 << 20)) // (1 << 20)) << 20, 34 << 20)  # less would not be FAT32
    fat(folder / "efi.img", size, [("EFI/BOOT/BOOTX64.EFI", uki)], "53544E44", "STANDIN")
    system = uki.read_bytes()
    offset = (folder / "efi.img").read_bytes().find(system)
    place = {"offset": offset, "length": len(system), "digest": digest(system)}
    (folder / "system.json").write_text(json.dumps(place))
    (folder / "THIS-IS-NOT-TALOS.txt").write_text(f"{SYSTEM}\n")
    for path in sorted(folder.iterdir()):
        os.utime(path, (EPOCH, EPOCH))
    os.utime(folder, (EPOCH, EPOCH))
    stamp = time.strftime("%Y%m%d%H%M%S00", time.gmtime(EPOCH))
    run(
        [
            "xorriso",
            "-as",
            "mkisofs",
            "-quiet",
            "-V",
            label,
            f"--modification-date={stamp}",
            "-uid",
            "0",
            "-gid",
            "0",
            "-o",
            str(target),
            "-e",
            "efi.img",
            "-no-emul-boot",
            str(folder),
        ]
    )


def disk(target: Path, work: Path, uki: Path, loader: Path, command_line: str) -> None:
    """A disk as an installation leaves it, without any configuration."""
    entry, settings = work / "a.conf", work / "loader.conf"
    entry.write_text(entry_text("a", 1, command_line))
    settings.write_text("timeout 0\n")
    files = [
        ("EFI/BOOT/BOOTX64.EFI", loader),
        ("slots/a.efi", uki),
        ("loader/entries/a.conf", entry),
        ("loader/loader.conf", settings),
    ]
    efi = work / f"{target.name}.efi"
    fat(efi, EFI_BYTES, files, "53544E45", "EFI")
    parts = partitions_for(IMAGE_BYTES)
    seed = uuid.uuid5(uuid.NAMESPACE_URL, "https://prov.invalid/stand-in")
    head, tail = gpt(IMAGE_BYTES, parts, seed)
    with target.open("wb") as handle:
        handle.truncate(IMAGE_BYTES)
        handle.write(head)
        handle.seek(parts[0].first * 512)
        handle.write(efi.read_bytes())
        handle.seek(IMAGE_BYTES - len(tail))
        handle.write(tail)
    efi.unlink()


def tar(files: Sequence[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(content), EPOCH, 0o644
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def descriptor(kind: str, content: bytes) -> dict[str, object]:
    return {"mediaType": kind, "digest": digest(content), "size": len(content)}


def sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def output(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, env=_environment()).stdout


def run(command: Sequence[str], *, cwd: Path | None = None, **variables: str) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=_environment() | variables)
    if done.returncode:
        raise SystemExit(f"error: {' '.join(command)} failed\n{done.stdout}{done.stderr}")


def _environment() -> dict[str, str]:
    more = {"SOURCE_DATE_EPOCH": str(EPOCH), "LC_ALL": "C.UTF-8", "TZ": "UTC", "MTOOLS_SKIP_CHECK": "1"}
    return dict(os.environ) | more
