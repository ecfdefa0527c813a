"""What this computer has and is able to do."""

from __future__ import annotations

import os
import platform
import shutil
import socket
from pathlib import Path
from typing import Final, Protocol

from attrs import frozen

_FIRMWARE: Final = (
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
    ("/usr/share/edk2-ovmf/x64/OVMF_CODE.fd", "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd"),
    ("/usr/share/qemu/ovmf-x86_64-code.bin", "/usr/share/qemu/ovmf-x86_64-vars.bin"),
)
"""Code and variables, where Debian and Ubuntu, Fedora, Arch and openSUSE keep them."""


@frozen
class Measure:
    """What there is. `memory_mib` and `room_mib` are what is free at this moment."""

    cpus: int
    memory_mib: int
    room_mib: int


class Facts(Protocol):
    """What this computer is able to do."""

    def measure(self, folder: Path) -> Measure:
        """Processors, free memory, and the free room on the disk that has a folder."""
        ...

    def program(self, name: str) -> str:
        """The path of a program, empty where there is none."""
        ...

    def firmware(self) -> tuple[str, str] | None:
        """The files of the UEFI firmware: its code, and what its variables are at first."""
        ...

    def interface(self, name: str) -> bool:
        """Whether there is a network interface of that name."""
        ...

    def distribution(self) -> str:
        """`ID` and `ID_LIKE` of os-release, such as `ubuntu debian`."""
        ...


class OwnFacts:
    """The facts of the computer we run on."""

    def measure(self, folder: Path) -> Measure:
        while not folder.exists():
            folder = folder.parent
        room = shutil.disk_usage(folder).free
        return Measure(len(os.sched_getaffinity(0)), _available_kib() // 1024, room // 2**20)

    def program(self, name: str) -> str:
        return shutil.which(name) or ""

    def firmware(self) -> tuple[str, str] | None:
        return next(((code, variables) for code, variables in _FIRMWARE if _there(code, variables)), None)

    def interface(self, name: str) -> bool:
        return name in {found for _, found in socket.if_nameindex()}

    def distribution(self) -> str:
        try:
            found = platform.freedesktop_os_release()
        except OSError:
            return ""
        return f"{found.get('ID', '')} {found.get('ID_LIKE', '')}".strip()


def _there(*paths: str) -> bool:
    return all(Path(path).is_file() for path in paths)


def _available_kib() -> int:
    """Memory that can be had without swapping; see proc(5), `MemAvailable`."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0])
    return 0
