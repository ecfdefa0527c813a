"""A machine behind an IPMI BMC: what OpenIPMI's simulator calls when somebody presses a switch or sets the next boot.

It is qemu and nothing between; a reboot of the guest switches it off, as with the other machines of the bed.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from pathlib import Path
from typing import Final

from attrs import define, field
from beds.metal.machines import FIRMWARE, MEMORY_MIB, Machine, run

_SCRIPT: Final = """\
#!{{python}}
import json, os, signal, subprocess, sys, time
place, pidfile, words = "{{state}}", "{pidfile}", sys.argv[2:]
state = json.load(open(place))

def pid():
    try:
        number = int(open(pidfile).read())
        alive = open("/proc/%d/stat" % number).read().split()[2] != "Z"
        return number if alive else 0
    except (OSError, ValueError):
        return 0

def off():
    number = pid()
    if number:
        os.kill(number, signal.SIGKILL)
        while pid():
            time.sleep(0.05)

def on():
    if pid():
        return
    network = state.get("boot") == "pxe"
    state["boot"] = "none"
    subprocess.run({commands!r}[network], check=True, stdout=sys.stderr)

verb, names = words[0], words[1:]
if verb == "get":
    for name in names:
        print(name + ":" + (("1" if pid() else "0") if name == "power" else state.get(name, "0")))
elif verb == "set":
    for name, value in zip(names[::2], names[1::2]):
        if name == "boot":
            state["boot"] = value
        elif name == "power":
            on() if value == "1" else off()
        elif name == "reset":
            off()
            on()
        elif name == "shutdown":
            off()
    json.dump(state, open(place, "w"))
"""


def script(machine: Machine, disk: Path) -> str:
    """The script for a machine, whose network card hangs on the bridge."""
    tap = f"tap{machine.number}"
    run("ip", "tuntap", "add", tap, "mode", "tap")
    run("ip", "link", "set", tap, "master", "br0", "up")
    pidfile = machine.folder / f"{machine.name}.pid"
    variables = machine.folder / f"{machine.name}.vars"
    variables.write_bytes((FIRMWARE / "OVMF_VARS_4M.fd").read_bytes())
    commands = [_command(machine, disk, tap, pidfile, variables, network) for network in (False, True)]
    return _SCRIPT.format(pidfile=pidfile, commands=commands)


def _command(machine: Machine, disk: Path, tap: str, pidfile: Path, variables: Path, network: bool) -> list[str]:
    """How qemu is called for a start from the network, or else from the disk.

    The old sort of firmware is SeaBIOS, which has a network card boot by its own ROM and speaks on the serial console
    where there is no screen.
    """
    uefi = [
        *("-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={FIRMWARE / 'OVMF_CODE_4M.fd'}"),
        *("-drive", f"if=pflash,format=raw,unit=1,file={variables}"),
    ]
    old = machine.bios and network
    rom = "" if old else ",romfile="
    return [
        *("qemu-system-x86_64", "-accel", "tcg,tb-size=64", "-machine", "q35", "-cpu", "max", "-smp", "1"),
        *("-m", str(MEMORY_MIB), "-display", "none", "-nodefaults", "-no-reboot", "-daemonize"),
        *("-pidfile", str(pidfile), "-smbios", f"type=1,uuid={machine.uuid},serial={machine.serial}"),
        *(["-machine", "graphics=off"] if old else uefi),
        *("-device", "virtio-scsi-pci", "-device", "virtio-rng-pci"),
        *("-drive", f"if=none,id=d0,format=qcow2,cache=unsafe,file={disk}"),
        *("-device", f"scsi-hd,drive=d0,bootindex={2 if network else 1}"),
        *("-netdev", f"tap,id=n0,ifname={tap},script=no,downscript=no"),
        *("-device", f"virtio-net-pci,netdev=n0,mac={machine.mac},bootindex={1 if network else 2}{rom}"),
        *("-chardev", f"file,id=c0,path={machine.console},append=on", "-serial", "chardev:c0"),
    ]


@define
class Cable:
    """A serial cable to a machine: whoever connects to `port` hears what it says from now on."""

    machine: Machine
    _server: socket.socket = field(init=False)
    _ends: list[tuple[socket.socket, subprocess.Popen[bytes]]] = field(init=False, factory=list)

    def __enter__(self) -> Cable:
        self._server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        for end, reader in self._ends:
            reader.kill()
            reader.wait()
            end.close()

    @property
    def port(self) -> int:
        port: int = self._server.getsockname()[1]
        return port

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # once it is closed
            while True:
                end, _ = self._server.accept()
                words = ["tail", "-c", "0", "-F", str(self.machine.console)]
                self._ends.append((end, subprocess.Popen(words, stdout=end, stderr=subprocess.DEVNULL)))
