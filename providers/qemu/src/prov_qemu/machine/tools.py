"""The programs and firmware that virtual machines need, and how to get them where they are missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from prov_qemu.facts import Facts
from provisioner.sdk import OperatorNeeded

QEMU: Final = "qemu-system-x86_64"
QEMU_IMG: Final = "qemu-img"

_COMMANDS: Final[Mapping[str, str]] = {
    "debian": "apt install qemu-system-x86 qemu-utils ovmf",
    "ubuntu": "apt install qemu-system-x86 qemu-utils ovmf",
    "fedora": "dnf install qemu-system-x86-core qemu-img edk2-ovmf",
    "rhel": "dnf install qemu-kvm qemu-img edk2-ovmf",
    "arch": "pacman -S qemu-base edk2-ovmf",
    "suse": "zypper install qemu-x86 qemu-tools qemu-ovmf-x86_64",
    "opensuse": "zypper install qemu-x86 qemu-tools qemu-ovmf-x86_64",
    "alpine": "apk add qemu-system-x86_64 qemu-img ovmf",
}


@frozen
class Tools:
    """Paths of all that is needed."""

    qemu: str
    qemu_img: str
    code: str
    variables: str


def tools_of(facts: Facts) -> Tools:
    """Everything, or OperatorNeeded that names what is missing and the command that brings it."""
    qemu, qemu_img = facts.program(QEMU), facts.program(QEMU_IMG)
    firmware = facts.firmware()
    found = {QEMU: qemu, QEMU_IMG: qemu_img, "the UEFI firmware OVMF": firmware}
    missing = [name for name, what in found.items() if not what]
    if missing or firmware is None:
        raise OperatorNeeded(
            "this computer lacks what virtual machines need",
            detail=f"missing: {', '.join(missing)}",
            remedy=how_to_get(facts.distribution()),
        )
    return Tools(qemu, qemu_img, *firmware)


def how_to_get(distribution: str) -> str:
    """The command that installs everything, as root."""
    for name in distribution.split():
        if name in _COMMANDS:
            return f"run `{_COMMANDS[name]}` as root"
    return "install qemu for x86_64 with qemu-img, and OVMF; on Debian: `apt install qemu-system-x86 qemu-utils ovmf`"
