"""A machine of the rack: what libvirt is told it is, and what can be seen of it from outside.

prov is never asked here. Power is what libvirt says, a BMC is read by a plain request, and what the machine itself
has to say is on its serial console.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from attrs import define, field

FIRMWARE: Final = Path("/usr/share/OVMF")
MEMORY_MIB: Final = 512
DOMAIN: Final = """<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <sysinfo type='smbios'><system>
    <entry name='manufacturer'>prov</entry><entry name='product'>bed</entry><entry name='serial'>{serial}</entry>
    <entry name='uuid'>{uuid}</entry>
  </system></sysinfo>{firmware_config}
  <memory unit='MiB'>{memory}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <loader readonly='yes' type='pflash'>{firmware}/OVMF_CODE_4M.fd</loader>
    <nvram template='{firmware}/OVMF_VARS_4M.fd'>{variables}</nvram>
    <smbios mode='sysinfo'/>
    <boot dev='hd'/>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='maximum'/>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>destroy</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='scsi' model='virtio-scsi'/>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' cache='unsafe'/><source file='{disk}'/><target dev='sda' bus='scsi'/>
    </disk>
    <interface type='bridge'>
      <source bridge='br0'/><mac address='{mac}'/><model type='virtio'/><rom enabled='{rom}'/>
    </interface>
    <serial type='file'><source path='{console}' append='on'/><target port='0'/></serial>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    <memballoon model='none'/>
  </devices>
</domain>
"""
"""A reboot switches it off: libvirt takes what a BMC changes with the next power-on, and so this is the moment at
which somebody has to look.
"""


@define
class Machine:
    """One machine, `number` makes its addresses; `bmc` is the root of its BMC, for plain requests.

    rom       whether its network card has the boot ROM of iPXE; without it the firmware's own is used
    bios      whether its firmware boots network cards the old way, and disks by UEFI, as many boards can be set up;
              only those behind IPMI may
    firmware  what the firmware is told beyond that, by name (fw_cfg)
    """

    name: str
    number: int
    folder: Path
    rom: bool = False
    bios: bool = False
    firmware: dict[str, str] = field(factory=dict)
    bmc: str = ""

    @property
    def uuid(self) -> str:
        return f"6ae7f5b2-0000-4000-8000-{self.number:012}"

    @property
    def serial(self) -> str:
        return f"S-{self.number}"

    @property
    def mac(self) -> str:
        return mac_of(self.number)

    @property
    def address(self) -> str:
        """Where it answers; the site's DHCP server always gives it this one."""
        return address_of(self.number)

    @property
    def console(self) -> Path:
        """What it said on its serial console, over all its boots."""
        return self.folder / f"{self.name}.console"

    def xml(self, disk: Path) -> str:
        """It in libvirt's words. It has a CPU that is emulated, whatever the computer could do."""
        entries = "".join(f"<entry name='{name}'>{value}</entry>" for name, value in self.firmware.items())
        return DOMAIN.format(
            name=self.name,
            uuid=self.uuid,
            serial=self.serial,
            memory=MEMORY_MIB,
            firmware=FIRMWARE,
            firmware_config=f"<sysinfo type='fwcfg'>{entries}</sysinfo>" if entries else "",
            variables=self.folder / f"{self.name}.vars",
            disk=disk,
            mac=self.mac,
            rom="yes" if self.rom else "no",
            console=self.console,
        )

    def on(self) -> bool:
        """Its power, as libvirt has it."""
        return (virsh("domstate", self.name) or "").strip() == "running"

    def disc(self) -> str:
        """The file in its CD drive, as libvirt has it; empty without a drive or a disc."""
        for disk in ElementTree.fromstring(virsh("dumpxml", self.name) or "").iter("disk"):
            if disk.get("device") == "cdrom":
                source = disk.find("source")
                return str(source.get("file") or "") if source is not None else ""
        return ""

    def boots_from(self) -> list[str]:
        """Its boot order, as libvirt has it: of the whole machine, or of its devices."""
        tree = ElementTree.fromstring(virsh("dumpxml", self.name) or "")
        whole = [str(boot.get("dev")) for boot in tree.iterfind("os/boot")]
        single = [
            (int(boot.get("order", "0")), str(device.get("device") or device.tag))
            for device in tree.iterfind("devices/*")
            for boot in device.iterfind("boot")
        ]
        return whole or [name for _, name in sorted(single)]

    def told(self, text: str) -> int:
        """How often its console has a text."""
        return self.console.read_text(errors="replace").count(text) if self.console.exists() else 0

    def redfish(self, path: str, certificate: Path, users: Sequence[str] = ()) -> dict[str, Any]:
        """What its BMC answers to one plain request; `users` are user and password. Raises OSError."""
        request = urllib.request.Request(self.bmc + path)
        if users:
            request.add_header("Authorization", "Basic " + base64.b64encode(":".join(users).encode()).decode())
        context = ssl.create_default_context(cafile=str(certificate))
        with urllib.request.urlopen(request, context=context, timeout=20) as answer:
            told: dict[str, Any] = json.load(answer)
            return told


def mac_of(number: int) -> str:
    return f"52:54:00:77:00:{number:02x}"


def address_of(number: int) -> str:
    return f"10.77.0.{number}"


def run(*words: str) -> str:
    """What a program says; an AssertionError tells what it complained of."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"{' '.join(words)}:\n{done.stdout}{done.stderr}"
    return done.stdout


def virsh(*words: str, check: bool = True) -> str | None:
    """What libvirt's own client says; with `check=False` None where it fails."""
    environ = {**os.environ, "LC_ALL": "C"}
    command = ("virsh", "-q", "-c", "qemu:///system", *words)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environ)
    assert done.returncode == 0 or not check, f"virsh {' '.join(words)}:\n{done.stdout}{done.stderr}"
    return done.stdout if done.returncode == 0 else None
