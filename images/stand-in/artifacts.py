"""The artifacts of one image, under the names and paths of an Image Factory and of a registry."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from formats import Base, cpio, descriptor, digest, disk, iso, run, sha256, tar, uki
from prov_standin.layout import SYSTEM

PLATFORMS = {"metal": "console=tty0 console=ttyS0", "nocloud": "console=tty1 console=ttyS0 net.ifnames=0"}
"""The platforms there are images of, and their consoles as Talos has them."""


@dataclass(frozen=True)
class Wish:
    """What one image is to call itself, and further kernel arguments.

    `flaw` makes it fail on purpose: at `boot`, or `silent` without an API. It then comes as an installer only.
    """

    version: str
    schematic: str
    flaw: str = ""
    arguments: str = ""


class Artifacts:
    """Makes everything of one wish in `work` and moves it to `out`."""

    def __init__(self, wish: Wish, base: Base, work: Path, out: Path) -> None:
        self._wish, self._base, self._work, self._out = wish, base, work, out
        work.mkdir()

    def make(self, versions: Mapping[str, str]) -> None:
        """Makes them; `versions` of what went into them is written beside them."""
        made = []
        for platform in PLATFORMS:
            self._system(platform)
            made += [f"{platform}-amd64-uki.efi", self._installer(platform)]
            if not self._wish.flaw:
                made += self._media(platform)
        if not self._wish.flaw:
            made += self._pieces()
        folder = self._out / "image" / self._wish.schematic / self._wish.version
        folder.mkdir(parents=True, exist_ok=True)
        for name in made:
            os.replace(self._work / name, folder / name)
        sums = "".join(f"{sha256(folder / name)}  {name}\n" for name in sorted(made))
        (folder / "SHA256SUMS").write_text(sums)
        (folder / "packages.json").write_text(json.dumps(dict(versions), indent=1, sort_keys=True) + "\n")

    def _system(self, platform: str) -> None:
        """Kernel, initramfs and arguments as one EFI program."""
        initrd = self._work / f"initramfs-{platform}"
        initrd.write_bytes(self._release(platform) + self._base.initrd.read_bytes())
        uki(self._path(platform), self._base, initrd, self._command_line(platform), self._wish.version)

    def _media(self, platform: str) -> list[str]:
        """A CD, a disk, and the kernel's arguments for those who boot without either."""
        system, raw = self._path(platform), self._work / f"{platform}-amd64.raw"
        iso(self._work / f"{platform}-amd64.iso", self._work, system, f"STANDIN_{platform.upper()}")
        disk(raw, self._work, system, self._base.loader, self._command_line(platform))
        if platform == "metal":
            run(["zstd", "-q", "-f", "-1", "-T1", str(raw), "-o", f"{raw}.zst"])
        else:
            run(["xz", "-q", "-f", "-k", "-0", "-T1", str(raw)])
        (self._work / f"cmdline-{platform}-amd64").write_text(self._command_line(platform))
        packed = "zst" if platform == "metal" else "xz"
        return [f"{platform}-amd64.iso", f"{platform}-amd64.raw.{packed}", f"cmdline-{platform}-amd64"]

    def _pieces(self) -> list[str]:
        """Kernel and initramfs by themselves, for booting over a network."""
        shutil.copy(self._base.kernel, self._work / "kernel-amd64")
        initramfs = self._work / "initramfs-amd64"
        initramfs.write_bytes(self._release("metal") + self._base.archive.read_bytes())
        run(["xz", "-q", "-f", "-0", "-T1", "--check=crc32", str(initramfs)])
        return ["kernel-amd64", "initramfs-amd64.xz"]

    def _installer(self, platform: str) -> str:
        """The image a machine installs or upgrades from: as a file, and as a registry would serve it."""
        layer = tar([("usr/install/amd64/vmlinuz.efi", self._path(platform).read_bytes())])
        blobs = [_image_config(layer), layer]
        manifest = _manifest(*blobs)
        repository = self._out / "v2" / f"{platform}-installer" / self._wish.schematic
        for folder in ("manifests", "blobs"):
            (repository / folder).mkdir(parents=True, exist_ok=True)
        for name in (self._wish.version, digest(manifest)):
            (repository / "manifests" / name).write_bytes(manifest)
        for blob in blobs:
            (repository / "blobs" / digest(blob)).write_bytes(blob)
        name = "installer-amd64.tar" if platform == "metal" else f"{platform}-installer-amd64.tar"
        (self._work / name).write_bytes(_layout(manifest, *blobs))
        return name

    def _release(self, platform: str) -> bytes:
        """An archive before the common one: what this image says it is."""
        told = {"version": self._wish.version, "schematic": self._wish.schematic, "flaw": self._wish.flaw}
        told |= {"system": SYSTEM, "platform": platform}
        return cpio([("release.json", 0o100644, json.dumps(told, sort_keys=True).encode())])

    def _command_line(self, platform: str) -> str:
        more = f"quiet loglevel=3 panic=5 {self._wish.arguments}".strip()
        return f"talos.platform={platform} {PLATFORMS[platform]} {more}"

    def _path(self, platform: str) -> Path:
        return self._work / f"{platform}-amd64-uki.efi"


def _image_config(layer: bytes) -> bytes:
    told = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": {"system": SYSTEM}},
        "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
    }
    return json.dumps(told, sort_keys=True).encode()


def _manifest(config: bytes, layer: bytes) -> bytes:
    told = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
    }
    return json.dumps(told, sort_keys=True).encode()


def _layout(manifest: bytes, *blobs: bytes) -> bytes:
    """An OCI image layout as a tar archive."""
    index = {"schemaVersion": 2, "manifests": [descriptor("application/vnd.oci.image.manifest.v1+json", manifest)]}
    files = [("oci-layout", b'{"imageLayoutVersion": "1.0.0"}'), ("index.json", json.dumps(index).encode())]
    files += [(f"blobs/sha256/{digest(blob)[7:]}", blob) for blob in (manifest, *blobs)]
    return tar(sorted(files))
