#!/usr/bin/env python3
"""Builds the stand-in image: Talos's artifacts under Talos's names, which say that they are not Talos.

Needs no root. Takes Debian's kernel, boot loader and Python from packages (`apt-get download`), the Python
libraries from wheels in the versions of constraints.txt, and the machine from the simulator of this project.
Two builds from the same packages are byte for byte the same.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import time
import uuid
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
sys.path.insert(0, str(HERE / "src"))

from prov_standin.layout import EFI_BYTES, IMAGE_BYTES, SYSTEM, entry_text, gpt, partitions_for  # noqa: E402

EPOCH = 1767225600  # 2026-01-01; every time stamp in the image
DEFAULT_SCHEMATIC = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"
TOOLS = {
    "objcopy": "binutils",
    "xorriso": "xorriso",
    "mcopy": "mtools",
    "mkfs.vfat": "dosfstools",
    "zstd": "zstd",
    "xz": "xz-utils",
    "dpkg-deb": "dpkg",
    "apt-get": "apt",
}
PACKAGES = (
    "systemd-boot-efi",
    "python3.11-minimal",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "libc6",
    "libssl3",
    "zlib1g",
    "libexpat1",
    "libffi8",
    "libgcc-s1",
    "libstdc++6",
)
WHEELS = (
    "aiohappyeyeballs",
    "aiohttp",
    "aiosignal",
    "attrs",
    "cffi",
    "cryptography",
    "frozenlist",
    "grpclib",
    "h2",
    "hpack",
    "hyperframe",
    "idna",
    "multidict",
    "propcache",
    "protobuf",
    "PyYAML",
    "typing_extensions",
    "yarl",
)
MODULES = (
    "virtio_pci",
    "virtio_net",
    "virtio_blk",
    "virtio_scsi",
    "virtio_rng",
    "sd_mod",
    "sr_mod",
    "ata_piix",
    "isofs",
    "vfat",
    "nls_cp437",
    "nls_ascii",
    "nls_utf8",
    "af_packet",
    "efivarfs",
)
UNUSED_STDLIB = re.compile(
    r"^(__phello__|_pydecimal|antigravity|asynchat|asyncore|bdb|cProfile|cgi|cgitb|code|codeop|config-3|ctypes/macholib"
    r"|ctypes/test|curses|dbm|distutils|doctest|email/architecture|ensurepip|ftplib|idlelib|imaplib|lib2to3|mailbox"
    r"|mailcap|msilib|nntplib|optparse|pdb|pickletools|poplib|profile|pstats|pty|pydoc|rlcompleter|smtp|sqlite3"
    r"|telnetlib|test|this|tkinter|tty|turtle|unittest|venv|webbrowser|wsgiref|xdrlib|xml|xmlrpc|zipapp)"
)
UNUSED_EXTENSIONS = re.compile(
    r"^(_bz2|_codecs_(cn|hk|iso2022|jp|kr|tw)|_crypt|_ctypes_test|_curses|_dbm|_decimal|_gdbm|_lzma|_msi|_sqlite3|_test"
    r"|_tkinter|_uuid|_xx|audioop|nis|ossaudiodev|readline|xx)"
)
UNUSED_IN_WHEELS = re.compile(r"(\.pyi|\.pyx|\.pxd|\.c|\.h|\.proto|\.typed)$|/tests?/|\.dist-info/|^cffi/")
OWN = {
    "provisioner": ("__init__.py", "talos/__init__.py", "talos/api/__init__.py", "talos/api/_wire/*.py"),
    "providers/sim/src/prov_sim": ("__init__.py", "changes.py", "faults.py", "pace.py", "machine/*.py"),
    "images/stand-in/src/prov_standin": ("*.py",),
}
CONSOLES = {"metal": "console=tty0 console=ttyS0", "nocloud": "console=tty1 console=ttyS0 net.ifnames=0"}


@dataclass(frozen=True)
class Wish:
    """What one image is to call itself. `flaw` makes it fail on purpose: at `boot`, or `silent` without an API."""

    version: str
    schematic: str
    flaw: str = ""
    arguments: str = ""


class Builder:
    """Makes everything in `work`, and moves the finished artifacts to `out`."""

    def __init__(self, work: Path, out: Path) -> None:
        self._work, self._out = work, out
        self._root = work / "root"
        self._packages = work / "packages"
        self._versions: dict[str, str] = {}

    def build(self, wishes: Sequence[Wish]) -> None:
        """Builds every wish; raises CalledProcessError where a tool fails."""
        kernel = _kernel_package()
        self._unpack([kernel, *PACKAGES])
        self._unpack_wheels()
        base = self._base(kernel.removeprefix("linux-image-"))
        for wish in wishes:
            self._artifacts(wish, base)

    # What goes into it.

    def _unpack(self, names: Sequence[str]) -> None:
        debs = self._work.parent / "cache" / "debs"
        debs.mkdir(parents=True, exist_ok=True)
        for name in names:
            version = _candidate(name)
            self._versions[name] = version
            found = _deb(debs, name, version)
            if found is None:
                _run(["apt-get", "download", "-q", f"{name}={version}"], cwd=debs)
                found = _deb(debs, name, version)
            assert found is not None, name
            _run(["dpkg-deb", "-x", str(found), str(self._packages)])

    def _unpack_wheels(self) -> None:
        pins = _pins()
        wheels = self._work.parent / "cache" / "wheels"
        wheels.mkdir(parents=True, exist_ok=True)
        wanted = [f"{name}=={pins[name.lower()]}" for name in WHEELS]
        missing = [item for item in wanted if _wheel(wheels, item) is None]
        if missing:
            platforms = [f"--platform={name}" for name in ("manylinux2014_x86_64", "manylinux_2_28_x86_64")]
            _run(
                [
                    sys.executable,
                    "-m",
                    "pip",
                    "download",
                    "-q",
                    "--no-deps",
                    "--only-binary=:all:",
                    "-d",
                    str(wheels),
                    "--python-version=3.11",
                    "--implementation=cp",
                    "--abi=cp311",
                    "--abi=abi3",
                    "--abi=none",
                    *platforms,
                    *missing,
                ]
            )
        for item in wanted:
            self._versions[item.partition("==")[0]] = item.partition("==")[2]
            found = _wheel(wheels, item)
            assert found is not None, item
            with zipfile.ZipFile(found) as wheel:
                wheel.extractall(
                    self._work / "wheels", [n for n in wheel.namelist() if not UNUSED_IN_WHEELS.search(n)]
                )

    def _base(self, release: str) -> Base:
        self._lay_out(release)
        self._compile()
        archive = self._work / "base.cpio"
        archive.write_bytes(cpio(_tree(self._root)))
        _run(["zstd", "-q", "-f", "-9", "-T1", str(archive), "-o", str(archive) + ".zst"])
        boot = self._packages / "usr/lib/systemd/boot/efi"
        return Base(
            archive=archive,
            kernel=self._packages / f"boot/vmlinuz-{release}",
            initrd=Path(str(archive) + ".zst"),
            stub=boot / "linuxx64.efi.stub",
            loader=boot / "systemd-bootx64.efi",
        )

    def _lay_out(self, release: str) -> None:
        root = self._root
        library = root / "usr/lib/standin"
        for folder in ("dev", "proc", "sys", "run", "usr/bin", "usr/lib/standin"):
            (root / folder).mkdir(parents=True)
        for link, target in {"bin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib64"}.items():
            (root / link).symlink_to(target)
        (root / "init").write_text(
            "#!/usr/bin/python3.11 -ISB\nimport sys\n\nsys.path.insert(0, '/usr/lib/standin')\n"
            "from prov_standin.init import main\n\nmain()\n"
        )
        (root / "init").chmod(0o755)
        shutil.copy(self._packages / "usr/bin/python3.11", root / "usr/bin/python3.11")
        (root / "etc").symlink_to("run/etc")
        boot = self._packages / "usr/lib/systemd/boot/efi"
        shutil.copy(boot / "systemd-bootx64.efi", library / "loader.efi")
        self._copy_stdlib(root / "usr/lib/python3.11")
        shutil.copytree(self._work / "wheels", library, dirs_exist_ok=True)
        for place, patterns in OWN.items():
            for pattern in patterns:
                for path in sorted((PROJECT / place).glob(pattern)):
                    target = library / Path(place).name / path.relative_to(PROJECT / place)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, target)
        for path in sorted(library.rglob("*.so")):
            path.chmod(0o644)
            _run(["strip", "--strip-unneeded", str(path)])
        self._copy_modules(release)
        self._copy_libraries()

    def _copy_stdlib(self, target: Path) -> None:
        source = self._packages / "usr/lib/python3.11"
        for path in sorted(source.rglob("*")):
            name = str(path.relative_to(source))
            extension = name.startswith("lib-dynload/") and UNUSED_EXTENSIONS.match(path.name)
            if path.is_dir() or path.is_symlink() or UNUSED_STDLIB.match(name) or extension or "__pycache__" in name:
                continue
            if path.suffix in (".py", ".so"):
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target / name)

    def _copy_modules(self, release: str) -> None:
        """The modules and what they need, in an order in which they load."""
        source = self._packages / "lib/modules" / release
        paths = {path.stem.replace("-", "_"): path for path in sorted(source.rglob("*.ko"))}
        order: list[str] = []
        for name in MODULES:
            _add_module(name, paths, order)
        target = self._root / "usr/lib/modules"
        target.mkdir()
        for number, name in enumerate(order):
            shutil.copy(paths[name], target / f"{number:02}-{name}.ko")

    def _copy_libraries(self) -> None:
        """The shared libraries that anything in the image asks for, and the loader of programs."""
        have = {path.name: path for path in sorted(self._packages.rglob("*.so*")) if not path.is_dir()}
        target = self._root / "usr/lib/x86_64-linux-gnu"
        target.mkdir()
        todo = [self._root / "usr/bin/python3.11", *sorted(self._root.rglob("*.so"))]
        seen = {path.name for path in self._root.rglob("*.so*")}
        while todo:
            for name in _needed(todo.pop()):
                if name not in seen and name in have:
                    seen.add(name)
                    shutil.copy(have[name].resolve(), target / name)
                    todo.append(target / name)
                elif name not in seen:
                    raise SystemExit(f"error: no package of the image has {name}")
        (self._root / "usr/lib64").mkdir()
        shutil.copy(have["ld-linux-x86-64.so.2"].resolve(), self._root / "usr/lib64/ld-linux-x86-64.so.2")

    def _compile(self) -> None:
        """Turns all Python into byte code by the image's own interpreter; sources stay outside."""
        root = self._root
        loader = root / "usr/lib64/ld-linux-x86-64.so.2"
        script = (
            "import compileall, py_compile, sys; mode = py_compile.PycInvalidationMode.UNCHECKED_HASH; "
            "sys.exit(not compileall.compile_dir(sys.argv[1], quiet=1, legacy=True, stripdir=sys.argv[1],"
            " maxlevels=20, invalidation_mode=mode, optimize=0))"
        )
        for folder in (root / "usr/lib/python3.11", root / "usr/lib/standin"):
            _run(
                [
                    str(loader),
                    "--library-path",
                    str(root / "usr/lib/x86_64-linux-gnu"),
                    str(root / "usr/bin/python3.11"),
                    "-ISB",
                    "-c",
                    script,
                    str(folder),
                ],
                PYTHONHASHSEED="0",
                PYTHONHOME=str(root / "usr"),
            )
            for path in sorted(folder.rglob("*.py")):
                path.unlink()

    # What comes out.

    def _artifacts(self, wish: Wish, base: Base) -> None:
        work = self._work / f"{wish.version}-{wish.flaw or 'good'}"
        work.mkdir()
        out = self._out / "image" / wish.schematic / wish.version
        out.mkdir(parents=True, exist_ok=True)
        for platform in ("metal", "nocloud"):
            uki = work / f"{platform}-amd64-uki.efi"
            initrd = work / f"initramfs-{platform}"
            initrd.write_bytes(self._release(wish, platform) + base.initrd.read_bytes())
            _uki(uki, base, initrd, _command_line(platform, wish), wish)
            _iso(work / f"{platform}-amd64.iso", work, uki, f"STANDIN_{platform.upper()}")
            _disk(work / f"{platform}-amd64.raw", work, uki, base.loader, _command_line(platform, wish))
        _run(
            ["zstd", "-q", "-f", "-1", "-T1", str(work / "metal-amd64.raw"), "-o", str(work / "metal-amd64.raw.zst")]
        )
        _run(["xz", "-q", "-f", "-k", "-0", "-T1", str(work / "nocloud-amd64.raw")])
        shutil.copy(base.kernel, work / "kernel-amd64")
        pieces = work / "initramfs-amd64"
        pieces.write_bytes(self._release(wish, "metal") + base.archive.read_bytes())
        _run(["xz", "-q", "-f", "-0", "-T1", "--check=crc32", str(pieces)])
        for platform in ("metal", "nocloud"):
            (work / f"cmdline-{platform}-amd64").write_text(_command_line(platform, wish))
            self._installer(work, wish, platform)
        names = [f"{p}-amd64{e}" for p in ("metal", "nocloud") for e in (".iso", "-uki.efi")]
        names += ["metal-amd64.raw.zst", "nocloud-amd64.raw.xz", "kernel-amd64", "initramfs-amd64.xz"]
        names += [
            "cmdline-metal-amd64",
            "cmdline-nocloud-amd64",
            "installer-amd64.tar",
            "nocloud-installer-amd64.tar",
        ]
        for name in names:
            os.replace(work / name, out / name)
        sums = "".join(f"{_sha256(out / name)}  {name}\n" for name in sorted(names))
        (out / "SHA256SUMS").write_text(sums)
        (out / "packages.json").write_text(json.dumps(self._versions, indent=1, sort_keys=True) + "\n")

    def _release(self, wish: Wish, platform: str) -> bytes:
        """An archive before the common one: what this image says it is."""
        told = {
            "system": SYSTEM,
            "version": wish.version,
            "schematic": wish.schematic,
            "platform": platform,
            "flaw": wish.flaw,
        }
        return cpio([("release.json", 0o100644, json.dumps(told, sort_keys=True).encode())])

    def _installer(self, work: Path, wish: Wish, platform: str) -> None:
        """The image a machine installs or upgrades from: as a file, and as a registry would serve it."""
        uki = work / f"{platform}-amd64-uki.efi"
        layer = _tar([("usr/install/amd64/vmlinuz.efi", uki.read_bytes())])
        config = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Labels": {"system": SYSTEM}},
                "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
            },
            sort_keys=True,
        ).encode()
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": _descriptor("application/vnd.oci.image.config.v1+json", config),
                "layers": [_descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
            },
            sort_keys=True,
        ).encode()
        index = json.dumps(
            {"schemaVersion": 2, "manifests": [_descriptor("application/vnd.oci.image.manifest.v1+json", manifest)]},
            sort_keys=True,
        ).encode()
        repository = self._out / "v2" / f"{platform}-installer" / wish.schematic
        (repository / "manifests").mkdir(parents=True, exist_ok=True)
        (repository / "blobs").mkdir(exist_ok=True)
        for name in (wish.version, _digest(manifest)):
            (repository / "manifests" / name).write_bytes(manifest)
        files = [("oci-layout", b'{"imageLayoutVersion": "1.0.0"}'), ("index.json", index)]
        for blob in (config, layer, manifest):
            (repository / "blobs" / _digest(blob)).write_bytes(blob)
            files.append((f"blobs/sha256/{_digest(blob)[7:]}", blob))
        prefix = "" if platform == "metal" else f"{platform}-"
        (work / f"{prefix}installer-amd64.tar").write_bytes(_tar(sorted(files)))


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


def _tree(root: Path) -> Iterator[tuple[str, int, bytes]]:
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


def _command_line(platform: str, wish: Wish) -> str:
    return f"talos.platform={platform} {CONSOLES[platform]} quiet loglevel=3 panic=5 {wish.arguments}".strip()


def _uki(target: Path, base: Base, initrd: Path, command_line: str, wish: Wish) -> None:
    """One EFI program of kernel, initramfs and command line."""
    release = target.with_suffix(".osrel")
    release.write_text(f'ID=prov-stand-in\nNAME="{SYSTEM}"\nPRETTY_NAME="{SYSTEM}"\nVERSION_ID={wish.version}\n')
    arguments = target.with_suffix(".cmdline")
    arguments.write_text(command_line)
    sections: list[str] = []
    address = 0x20000
    for name, path in {".osrel": release, ".cmdline": arguments, ".linux": base.kernel, ".initrd": initrd}.items():
        sections += ["--add-section", f"{name}={path}", "--change-section-vma", f"{name}={address:#x}"]
        address += -(-path.stat().st_size // 0x10000 + -1) * 0x10000
    _run(["objcopy", *sections, str(base.stub), str(target)])
    _clear_time_stamp(target)


def _clear_time_stamp(program: Path) -> None:
    """Sets the link time in the header of an EFI program to zero."""
    with program.open("r+b") as handle:
        handle.seek(0x3C)
        (header,) = struct.unpack("<I", handle.read(4))
        handle.seek(header + 8)
        handle.write(bytes(4))


def _fat(image: Path, size: int, files: Sequence[tuple[str, Path]], number: str, label: str) -> None:
    """A FAT32 file system with the same bytes every time."""
    image.unlink(missing_ok=True)
    with image.open("wb") as handle:
        handle.truncate(size)
    _run(["mkfs.vfat", "-F", "32", "-s", "1", "--invariant", "-i", number, "-n", label, str(image)])
    folders = sorted({str(parent) for name, _ in files for parent in Path(name).parents if str(parent) != "."})
    for folder in folders:
        _run(["mmd", "-i", str(image), f"::{folder}"])
    for name, path in files:
        os.utime(path, (EPOCH, EPOCH))
        _run(["mcopy", "-m", "-i", str(image), str(path), f"::{name}"])


def _iso(target: Path, work: Path, uki: Path, label: str) -> None:
    """A CD that UEFI boots."""
    folder = work / f"{target.name}.d"
    folder.mkdir()
    size = max(-(-(uki.stat().st_size + (2 << 20)) // (1 << 20)) << 20, 34 << 20)  # less would not be FAT32
    _fat(folder / "efi.img", size, [("EFI/BOOT/BOOTX64.EFI", uki)], "53544E44", "STANDIN")
    system = uki.read_bytes()
    offset = (folder / "efi.img").read_bytes().find(system)
    place = {"offset": offset, "length": len(system), "digest": _digest(system)}
    (folder / "system.json").write_text(json.dumps(place))
    (folder / "THIS-IS-NOT-TALOS.txt").write_text(f"{SYSTEM}\n")
    for path in sorted(folder.iterdir()):
        os.utime(path, (EPOCH, EPOCH))
    os.utime(folder, (EPOCH, EPOCH))
    stamp = time.strftime("%Y%m%d%H%M%S00", time.gmtime(EPOCH))
    _run(
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


def _disk(target: Path, work: Path, uki: Path, loader: Path, command_line: str) -> None:
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
    _fat(efi, EFI_BYTES, files, "53544E45", "EFI")
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


def _tar(files: Sequence[tuple[str, bytes]]) -> bytes:
    import io
    import tarfile

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(content), EPOCH, 0o644
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _descriptor(kind: str, content: bytes) -> dict[str, object]:
    return {"mediaType": kind, "digest": _digest(content), "size": len(content)}


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _add_module(name: str, paths: dict[str, Path], order: list[str]) -> None:
    path = paths.get(name)
    if path is None or name in order:  # what is missing is built in
        return
    found = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
    for needed in found.group(1).decode().split(",") if found else ():
        if needed:
            _add_module(needed.replace("-", "_"), paths, order)
    order.append(name)


def _needed(program: Path) -> list[str]:
    shown = _output(["objdump", "-p", str(program)])
    return re.findall(r"NEEDED\s+(\S+)", shown)


def _kernel_package() -> str:
    shown = _output(["apt-cache", "depends", "linux-image-cloud-amd64"])
    return re.findall(r"Depends: (linux-image-\S+)", shown)[0]


def _candidate(package: str) -> str:
    found = re.search(r"Candidate: (\S+)", _output(["apt-cache", "policy", package]))
    if found is None or found.group(1) == "(none)":
        raise SystemExit(f"error: apt knows no package {package}; run apt-get update")
    return found.group(1)


def _deb(folder: Path, name: str, version: str) -> Path | None:
    escaped = version.replace(":", "%3a")
    return next(iter(sorted(folder.glob(f"{name}_{escaped}_*.deb"))), None)


def _wheel(folder: Path, requirement: str) -> Path | None:
    name, _, version = requirement.partition("==")
    plain = re.sub(r"[-_.]+", "_", name).lower()
    return next(
        (p for p in sorted(folder.glob(f"*-{version}-*.whl")) if p.name.lower().startswith(plain + "-")), None
    )


def _pins() -> dict[str, str]:
    lines = (PROJECT / "constraints.txt").read_text().split()
    return {name.lower(): version for name, _, version in (line.partition("==") for line in lines)}


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, env=_environment()).stdout


def _run(command: Sequence[str], *, cwd: Path | None = None, **variables: str) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=_environment() | variables)
    if done.returncode:
        raise SystemExit(f"error: {' '.join(command)} failed\n{done.stdout}{done.stderr}")


def _environment() -> dict[str, str]:
    more = {"SOURCE_DATE_EPOCH": str(EPOCH), "LC_ALL": "C.UTF-8", "TZ": "UTC", "MTOOLS_SKIP_CHECK": "1"}
    return dict(os.environ) | more


def main(argv: Sequence[str] | None = None) -> None:
    """Reads the command line and builds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=PROJECT / "build/stand-in/factory")
    parser.add_argument("--version", action="append", help="what the image calls itself; may stand several times")
    parser.add_argument("--schematic", default=DEFAULT_SCHEMATIC)
    parser.add_argument(
        "--flawed",
        metavar="VERSION=FLAW",
        action="append",
        default=[],
        help="an image that fails on purpose: v1.13.99=boot or v1.13.98=silent",
    )
    parser.add_argument("--arguments", default="", help="more kernel arguments")
    chosen = parser.parse_args(argv)
    missing = sorted({package for tool, package in TOOLS.items() if shutil.which(tool) is None})
    if missing:
        raise SystemExit("error: tools are missing\nhint: apt-get install " + " ".join(missing))
    wishes = [Wish(version, chosen.schematic, "", chosen.arguments) for version in chosen.version or ["v1.13.9"]]
    for text in chosen.flawed:
        version, _, flaw = text.partition("=")
        wishes.append(Wish(version, chosen.schematic, flaw, chosen.arguments))
    begun = time.monotonic()
    work = chosen.out.parent / f"work-{os.getpid()}"
    work.mkdir(parents=True)
    try:
        Builder(work, chosen.out).build(wishes)
    finally:
        shutil.rmtree(work)
    sys.stdout.write(f"built in {time.monotonic() - begun:.1f} s: {chosen.out}\n")


if __name__ == "__main__":
    main()
