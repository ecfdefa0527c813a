"""Where the Image Factory serves what machines boot from.

Source: siderolabs/image-factory v1.5.0, `docs/api.md` and `internal/profile`.
"""

from __future__ import annotations

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


def artifact_url(talos: TalosWish, platform_name: str, arch: str, form: str = "") -> str:
    """The URL of an artifact at the wish's factory, see `sdk.BootRefs.artifact`; raises NoSuchImage."""
    path = artifact_path(platform_name, arch, form, secure_boot=talos.secure_boot)
    return f"{talos.factory}/image/{talos.schematic}/v{talos.version.removeprefix('v')}/{path}"


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
