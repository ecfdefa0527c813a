"""The kernel calls that Python has no names for."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Final

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REMOUNT = 1, 2, 4, 32
_FINIT_MODULE: Final = 313
_POWER: Final = {"reboot": 0x01234567, "off": 0x4321FEDC}

_libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, kind: str, options: str = "", *, read_only: bool = False) -> None:
    """Mounts a file system; raises OSError."""
    flags = _MS_NOSUID | (_MS_RDONLY if read_only else 0)
    _call(_libc.mount, source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())


def unmount(target: str) -> None:
    """Unmounts; raises OSError."""
    _call(_libc.umount2, target.encode(), 0)


def seal_root() -> None:
    """Makes the root file system read-only for good; raises OSError."""
    _call(_libc.mount, None, b"/", None, ctypes.c_ulong(_MS_REMOUNT | _MS_RDONLY), None)


def load_modules(folder: Path) -> list[str]:
    """Loads the modules of a folder in the order of their names; returns those the kernel refused."""
    refused = []
    for path in sorted(folder.glob("*.ko")):
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _call(_libc.syscall, _FINIT_MODULE, handle, b"", 0)
        except OSError as err:
            refused.append(f"{path.stem[3:]}: {err.strerror}")
        finally:
            os.close(handle)
    return refused


def power(action: str) -> None:
    """Writes everything to the disks and does `reboot` or `off` at once."""
    os.sync()
    _call(_libc.reboot, _POWER[action])


def command_line() -> dict[str, list[str]]:
    """The kernel's arguments: name to values, in order. An argument without a value has an empty one."""
    found: dict[str, list[str]] = {}
    for word in Path("/proc/cmdline").read_text().split():
        name, _, value = word.partition("=")
        found.setdefault(name, []).append(value)
    return found


def _call(function: ctypes._FuncPointer, *arguments: object) -> None:
    if function(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
