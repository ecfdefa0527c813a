#!/usr/bin/env python3
"""Builds the stand-in image: Talos's artifacts under Talos's names, which say that they are not Talos.

Needs no root. Takes Debian's kernel, boot loader and Python from packages (`apt-get download`), the Python
libraries from wheels in the versions of constraints.txt, and the machine from the simulator of this project.
Two builds from the same packages are byte for byte the same.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
sys.path.insert(0, str(HERE / "src"))


from artifacts import Artifacts, Wish  # noqa: E402
from contents import MODULES, OWN, PACKAGES, UNUSED_EXTENSIONS, UNUSED_IN_WHEELS, UNUSED_STDLIB, WHEELS  # noqa: E402
from formats import Base, cpio, output, run, tree  # noqa: E402

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


class Builder:
    """Makes everything in `work`, and moves the finished artifacts to `out`."""

    def __init__(self, work: Path, out: Path, cache: Path) -> None:
        self._work, self._out, self._cache = work, out, cache
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
            work = self._work / f"{wish.version}-{wish.flaw or 'good'}"
            Artifacts(wish, base, work, self._out).make(self._versions)

    # What goes into it.

    def _unpack(self, names: Sequence[str]) -> None:
        debs = self._cache / "debs"
        debs.mkdir(parents=True, exist_ok=True)
        for name in names:
            version = _candidate(name)
            self._versions[name] = version
            found = _deb(debs, name, version)
            if found is None:
                run(["apt-get", "download", "-q", f"{name}={version}"], cwd=debs)
                found = _deb(debs, name, version)
            assert found is not None, name
            run(["dpkg-deb", "-x", str(found), str(self._packages)])

    def _unpack_wheels(self) -> None:
        pins = _pins()
        wheels = self._cache / "wheels"
        wheels.mkdir(parents=True, exist_ok=True)
        wanted = [f"{name}=={pins[name.lower()]}" for name in WHEELS]
        missing = [item for item in wanted if _wheel(wheels, item) is None]
        if missing:
            platforms = [f"--platform={name}" for name in ("manylinux2014_x86_64", "manylinux_2_28_x86_64")]
            # A virtual environment that uv made has no pip of its own.
            pip = [sys.executable, "-m", "pip"] if importlib.util.find_spec("pip") else ["pip3"]
            kind = ["--python-version=3.11", "--implementation=cp", "--abi=cp311", "--abi=abi3", "--abi=none"]
            plain = ["-q", "--no-deps", "--only-binary=:all:", "-d", str(wheels)]
            run([*pip, "download", *plain, *kind, *platforms, *missing])
        for item in wanted:
            self._versions[item.partition("==")[0]] = item.partition("==")[2]
            found = _wheel(wheels, item)
            assert found is not None, item
            with zipfile.ZipFile(found) as wheel:
                names = [name for name in wheel.namelist() if not UNUSED_IN_WHEELS.search(name)]
                wheel.extractall(self._work / "wheels", names)

    def _base(self, release: str) -> Base:
        self._lay_out(release)
        self._compile()
        archive = self._work / "base.cpio"
        archive.write_bytes(cpio(tree(self._root)))
        run(["zstd", "-q", "-f", "-9", "-T1", str(archive), "-o", str(archive) + ".zst"])
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
            run(["strip", "--strip-unneeded", str(path)])
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
            run(
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
    shown = output(["objdump", "-p", str(program)])
    return re.findall(r"NEEDED\s+(\S+)", shown)


def _kernel_package() -> str:
    shown = output(["apt-cache", "depends", "linux-image-cloud-amd64"])
    return re.findall(r"Depends: (linux-image-\S+)", shown)[0]


def _candidate(package: str) -> str:
    found = re.search(r"Candidate: (\S+)", output(["apt-cache", "policy", package]))
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


def main(argv: Sequence[str] | None = None) -> None:
    """Reads the command line and builds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=PROJECT / "build/stand-in/factory")
    parser.add_argument("--cache", type=Path, default=PROJECT / "build/stand-in/cache", help="what is downloaded")
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
        Builder(work, chosen.out, chosen.cache.resolve()).build(wishes)
    finally:
        shutil.rmtree(work)
    sys.stdout.write(f"built in {time.monotonic() - begun:.1f} s: {chosen.out}\n")


if __name__ == "__main__":
    main()
