"""A BMC that speaks IPMI and is nobody's of ours: `ipmi_sim` of OpenIPMI, with a script for a machine.

What is set through it stands in a file that the script keeps; `ipmitool` is the second opinion. Both come with
scripts/ipmi-tools.sh.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from attrs import define, field

GUID = "a123456789abcdefa123456789abcdef"
USER, PASSWORD = "admin", "hunter2"
DEADLINE_S = 60.0

_LAN = """\
name "bed"
set_working_mc 0x20
startlan 1
  addr {address} {port}
  priv_limit admin
  allowed_auths_callback none md2 md5 straight
  allowed_auths_user none md2 md5 straight
  allowed_auths_operator none md2 md5 straight
  allowed_auths_admin none md2 md5 straight
  guid {guid}
endlan
chassis_control "{script} 0x20"
{sol}
user 2 true "{user}" "{password}" admin 10 none md2 md5 straight
"""

_COMMANDS = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
sel_add 0x20 2 0x10 0x20 0x30 0x65 0x20 0x00 0x04 0x0f 0x01 0x6f 0xc2 0x13 0xff
mc_add_fru_data 0x20 0 {size} data {fru}
mc_enable 0x20
"""

_SCRIPT = """\
#!{python}
import json, sys
place, verb, words = "{state}", sys.argv[2], sys.argv[3:]
state = json.load(open(place))
if verb == "get":
    for name in words:
        print(name + ":" + state.get(name, "0"))
elif verb == "set":
    state.update(dict(zip(words[::2], words[1::2])))
    json.dump(state, open(place, "w"))
"""


@define
class Sim:
    """One BMC. `folder` is for its files; `fru` is what its board says; `host` is where it listens."""

    folder: Path
    fru: bytes
    serial: int = 0
    """A TCP port that the machine's serial console is connected to; 0 for none."""
    script: str = _SCRIPT
    """What the BMC calls to switch the machine, with the file that it may keep as `{state}`."""
    host: str = "127.0.0.1"
    port: int = field(init=False, factory=lambda: _free(socket.SOCK_DGRAM))
    _process: subprocess.Popen[bytes] = field(init=False)

    def __enter__(self) -> Sim:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "state.json").write_text('{"power": "0", "boot": "none"}')
        script = self.folder / "machine"
        script.write_text(self.script.format(python=sys.executable, state=self.folder / "state.json"))
        script.chmod(0o755)
        sol = f'sol "tcp:127.0.0.1:{self.serial}" 115200 history=4000' if self.serial else ""
        (self.folder / "lan.conf").write_text(
            _LAN.format(
                address=self.host, port=self.port, guid=GUID, script=script, user=USER, password=PASSWORD, sol=sol
            )
        )
        fru = " ".join(f"{byte:#04x}" for byte in self.fru)
        (self.folder / "bmc.emu").write_text(_COMMANDS.format(size=len(self.fru), fru=fru))
        self._process = subprocess.Popen(
            ["ipmi_sim", "-c", "lan.conf", "-f", "bmc.emu", "-s", str(self.folder), "-n"],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=(self.folder / "log").open("wb"),
            stderr=subprocess.STDOUT,
        )
        end = time.monotonic() + DEADLINE_S
        while "power is" not in self.tool("chassis", "power", "status", check=False).lower():
            if time.monotonic() > end:
                self.__exit__()
                raise TimeoutError((self.folder / "log").read_text())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(60)

    @property
    def address(self) -> str:
        return f"ipmi://{self.host}:{self.port}"

    def tool(self, *words: str, check: bool = True) -> str:
        """What `ipmitool` says."""
        given = ["ipmitool", "-I", "lanplus", "-C", "3", "-H", self.host, "-p", str(self.port), "-U", USER, "-E"]
        done = subprocess.run(
            [*given, *words],
            env=os.environ | {"IPMI_PASSWORD": PASSWORD},
            capture_output=True,
            text=True,
            check=check,
        )
        return done.stdout


def _free(kind: socket.SocketKind) -> int:
    with socket.socket(type=kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
