"""What a provider block of type `qemu` may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from attrs import frozen

from prov_qemu.machine.delivery import PLATFORMS
from provisioner.sdk import ProvError, Schema, Value, written

T = TypeVar("T")


@frozen
class QemuSettings:
    """The provider block.

    config        how machines get their configuration: nocloud, smbios, metal-iso, url or none
    image         a disk image or ISO of your own, as a path or URL; empty for the official one of the release
    image_sha256  the checksum of `image`
    boot          "disk" to begin as the image, or "iso" to install from it onto an empty disk
    bus           what disks hang on: virtio or scsi
    accelerator   "auto", "kvm" or "tcg"
    subnet        the machines' own addresses
    bridge        a bridge of this computer to hang machines on, which takes root; empty for a network of our own
    resolver      the name server that machines on a bridge use; empty for the gateway, which is the subnet's first
    overcommit    whether machines may be larger than what is free
    """

    config: str = "nocloud"
    image: str = ""
    image_sha256: str = ""
    boot: str = "disk"
    bus: str = "virtio"
    accelerator: str = "auto"
    subnet: str = "10.5.0.0/24"
    bridge: str = ""
    resolver: str = ""
    overcommit: bool = False


@frozen
class QemuNodeOptions:
    """What a pool may say beyond the common fields; empty or 0 means as the provider block or the size says."""

    config: str = ""
    image: str = ""
    image_sha256: str = ""
    boot: str = ""
    cpus: int = 0
    memory_mib: int = 0
    disk_gib: int = 0


@frozen
class Size:
    """What a size name of a pool stands for."""

    cpus: int
    memory_mib: int
    disk_gib: int


SIZES: Mapping[str, Size] = {
    "small": Size(cpus=2, memory_mib=2048, disk_gib=10),
    "medium": Size(cpus=2, memory_mib=4096, disk_gib=20),
    "large": Size(cpus=4, memory_mib=8192, disk_gib=40),
}
DEFAULT_SIZE = "small"
"""Talos asks for 2 GiB and 10 GiB of disk at least on a control plane."""

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "config": tuple(PLATFORMS),
    "boot": ("disk", "iso"),
    "bus": ("virtio", "scsi"),
    "accelerator": ("auto", "kvm", "tcg"),
}


def settings_of(block: Mapping[str, Value]) -> QemuSettings:
    """The settings of a provider block, of which only our own fields are looked at; raises ProvError."""
    known = Schema.of(QemuSettings).fields
    return _built(QemuSettings, {name: value for name, value in block.items() if name in known}, "provider block")


def options_of(pool: str, options: Mapping[str, Value]) -> QemuNodeOptions:
    """The options of a pool; raises ProvError."""
    return _built(QemuNodeOptions, options, f"pool {pool}")


def size_of(name: str, options: QemuNodeOptions) -> Size:
    """The size of that name, the smallest for an empty one, as the pool has changed it; raises ProvError."""
    size = SIZES.get(name or DEFAULT_SIZE)
    if size is None:
        raise ProvError(
            "the qemu provider does not know this size",
            detail=f"size is {name!r}",
            remedy=f"use one of: {', '.join(SIZES)}",
        )
    return Size(options.cpus or size.cpus, options.memory_mib or size.memory_mib, options.disk_gib or size.disk_gib)


def _built(cls: type[T], given: Mapping[str, Value], where: str) -> T:
    def wrong(detail: str) -> ProvError:
        return ProvError(
            "a setting of the qemu provider is wrong",
            detail=f"{where}: {detail}",
            remedy="correct it; docs/guides/local-vms.md has them all",
        )

    built = written(cls, given, wrong)
    for name, choices in _CHOICES.items():
        if (said := getattr(built, name, "")) and said not in choices:
            raise wrong(f"{name} is {said!r}; there are {', '.join(choices)}")
    return built
