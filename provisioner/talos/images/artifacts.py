"""Where the Image Factory serves what machines boot from.

Source: siderolabs/image-factory v1.5.0, `docs/api.md` and `internal/profile`.
"""

from __future__ import annotations

from attrs import frozen

from provisioner.sdk import TalosWish, did_you_mean
from provisioner.talos.images.platforms import ARCHITECTURES, DISK_FORMS, NoSuchImage, platform

_OTHERS = {
    "iso": "{platform}-{arch}{signed}.iso",
    "uki": "{platform}-{arch}{signed}-uki.efi",
    "cmdline": "cmdline-{platform}-{arch}{signed}",
    "kernel": "kernel-{arch}",
    "initramfs": "initramfs-{arch}.xz",
}
"""Artifacts that are no disk images, by the word for them; kernel and initramfs are the same on all platforms."""


@frozen
class Artifact:
    """Something to boot from, as people name it: `metal-amd64.iso`, or `aws-amd64` for the usual disk image."""

    platform: str
    arch: str
    form: str = ""

    @classmethod
    def parse(cls, text: str) -> Artifact:
        """Reads PLATFORM-ARCH or PLATFORM-ARCH.FORM; raises NoSuchImage for anything that nobody makes."""
        whole, _, form = text.partition(".")
        name, dash, arch = whole.rpartition("-")
        if not dash:
            raise NoSuchImage(
                "this is not the name of an image",
                detail=repr(text),
                remedy="write PLATFORM-ARCH or PLATFORM-ARCH.FORM, as in metal-amd64.iso or aws-arm64",
            )
        artifact_path(name, arch, form)
        return cls(name, arch, form)


def artifact_url(talos: TalosWish, platform_name: str, arch: str, form: str = "") -> str:
    """The URL of an artifact at the wish's factory, see `sdk.BootRefs.artifact`; raises NoSuchImage."""
    return f"{talos.factory}/image/{image_path(talos, Artifact(platform_name, arch, form))}"


def image_path(talos: TalosWish, artifact: Artifact) -> str:
    """Where a factory has an artifact, below `image/`; raises NoSuchImage."""
    name = artifact_path(artifact.platform, artifact.arch, artifact.form, secure_boot=talos.secure_boot)
    return f"{talos.schematic}/v{talos.version.removeprefix('v')}/{name}"


def artifact_path(platform_name: str, arch: str, form: str = "", *, secure_boot: bool = False) -> str:
    """The last part of the URL, such as `aws-amd64.raw.xz`; raises NoSuchImage."""
    row = platform(platform_name)
    _check_arch(arch)
    signed = "-secureboot" if secure_boot else ""
    if form in _OTHERS:
        return _OTHERS[form].format(platform=row.name, arch=arch, signed=signed)
    wanted = form or row.form
    if not wanted:
        raise NoSuchImage(
            "this platform has no disk image",
            detail=f"machines of {row.name} boot by PXE or from an ISO",
            remedy="ask for the form `iso`, or for `kernel` and `initramfs`",
        )
    if wanted not in DISK_FORMS:
        raise NoSuchImage(
            "images are not made in this form",
            detail=f"{form!r} was asked for on {row.name}",
            remedy=did_you_mean(form, (*DISK_FORMS, *_OTHERS)),
        )
    return f"{row.name}-{arch}{signed}.{wanted}"


def _check_arch(arch: str) -> None:
    if arch not in ARCHITECTURES:
        raise NoSuchImage(
            "Talos is not made for this architecture",
            detail=f"{arch!r} was asked for",
            remedy=f"use {' or '.join(ARCHITECTURES)}",
        )
