"""Whether this computer runs machines on its own processor (KVM), or has to emulate one (TCG).

A device file proves nothing: it may open and then hang, or run the first instructions and no more. So a machine is
started as all are, with the same processor and firmware and nothing else, for a few seconds at most. What came of it
holds until the computer is started anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import select
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from prov_qemu.machine.tools import Tools
from prov_qemu.place import Place
from prov_qemu.records import write_whole

DEVICE: Final = "/dev/kvm"
LIMIT_S: Final = 10.0
_TRANSLATION_CACHE_MIB: Final = 256
"""For emulated processors; qemu would take up to 1 GiB."""
MARK: Final = b"BdsDxe"
"""What OVMF writes to the console when it has done its work and looks for something to boot."""


class Accelerators(Protocol):
    """Finds out what a machine can be run with."""

    def known(self) -> str:
        """`kvm` or `tcg` where it has been tried since this computer was started; else empty."""
        ...

    def probe(self, tools: Tools) -> str:
        """Tries it out, in `LIMIT_S` seconds at most, and remembers what came of it."""
        ...


class OwnAccelerators:
    """What this computer's processor can do, remembered in the cache."""

    def __init__(self, place: Place) -> None:
        self._path = place.cache / "accelerator.json"

    def known(self) -> str:
        if not os.access(DEVICE, os.R_OK | os.W_OK):
            return "tcg"
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return ""
        return str(found["accelerator"]) if found.get("boot") == _boot() else ""

    def probe(self, tools: Tools) -> str:
        found = "kvm" if comes_up(probe_command(tools, "kvm"), LIMIT_S) else "tcg"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self._path, json.dumps({"boot": _boot(), "accelerator": found}).encode())
        return found


def probe_command(tools: Tools, accelerator: str) -> list[str]:
    """A machine with nothing but the firmware that all machines have; its console is the standard output."""
    board = ["-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35", "-m", "128M"]
    firmware = f"if=pflash,unit=0,format=raw,readonly=on,file={tools.code}"
    return [tools.qemu, *board, *processor(accelerator), "-drive", firmware, "-serial", "stdio"]


def processor(accelerator: str) -> tuple[str, ...]:
    """The options that give a machine its processor."""
    if accelerator == "kvm":
        return ("-accel", "kvm", "-cpu", "host")
    return ("-accel", f"tcg,thread=multi,tb-size={_TRANSLATION_CACHE_MIB}", "-cpu", "max")


def comes_up(command: Sequence[str], limit_s: float) -> bool:
    """Whether the firmware says in time that it has done its work; the machine is ended either way."""
    nothing = subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=nothing, stdout=subprocess.PIPE, stderr=nothing, start_new_session=True)
    try:
        return _says(process, time.monotonic() + limit_s)
    finally:
        process.kill()
        if process.stdout is not None:
            process.stdout.close()


def _says(process: subprocess.Popen[bytes], deadline: float) -> bool:
    said = b""
    while process.stdout is not None and (left := deadline - time.monotonic()) > 0:
        ready, _, _ = select.select([process.stdout], [], [], left)
        more = os.read(process.stdout.fileno(), 4096) if ready else b""
        said += more
        if MARK in said:
            return True
        if not more:
            return False
    return False


def _boot() -> str:
    """Names the time since this computer was started, with this kernel."""
    text = Path("/proc/sys/kernel/random/boot_id").read_text() + os.uname().release
    return hashlib.sha256(text.encode()).hexdigest()[:16]
