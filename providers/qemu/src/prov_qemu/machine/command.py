"""The command that a machine is started with. Pure.

Sources: qemu(1) 7.2; SMBIOS 3.6 (types 1 and 11); systemd-stub(7) for arguments that a unified kernel image takes
from SMBIOS; Talos's `metal` and `nocloud` platforms for where they look for a configuration.
"""

from __future__ import annotations

import hashlib
import shlex
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import frozen

from prov_qemu.machine.accelerator import processor
from prov_qemu.machine.tools import Tools
from prov_qemu.network.addresses import DELIVERY, GATEWAY, RESOLVER, inside, number_of
from prov_qemu.network.switch import NIC, SOCKET, UP

TALOS_API: Final = 50000
KUBERNETES_API: Final = 6443
ATTACH: Final = "attach"
"""The script that hangs a machine on a bridge, in its folder."""


@frozen
class Attachment:
    """How a machine is connected.

    subnet  such as `10.5.0.0/24`
    ip      its own address in there
    host    the address of this computer at which it can be reached
    mac     its hardware address
    bridge  the interface of this computer it hangs on; empty for a network without root
    hand    the command that hands it what it asks for over HTTP; none where it asks for nothing
    """

    subnet: str
    ip: str
    host: str
    mac: str
    bridge: str = ""
    hand: tuple[str, ...] = ()


@frozen
class Build:
    """A machine as it is put together.

    folder     where its own files are
    disks      paths of disk images, the first one is booted from; `bus` is `virtio` or `scsi`
    media      paths of read-only images that are drives: what is booted from if no disk can be, and a configuration
    serial     the serial number that its firmware tells, by which some systems find their configuration
    arguments  of the kernel, handed over by the firmware
    monitor    the socket, seen from the folder it is started in, at which qemu takes orders
    """

    name: str
    key: str
    folder: Path
    cpus: int
    memory_mib: int
    accelerator: str
    attachment: Attachment
    monitor: str
    disks: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    bus: str = "virtio"
    media: tuple[str, ...] = ()
    serial: str = ""
    arguments: tuple[str, ...] = ()


def uuid_of(key: str) -> str:
    """The machine's SMBIOS UUID; it stays with the key."""
    return str(uuid.UUID(bytes=hashlib.sha256(f"machine {key}".encode()).digest()[:16], version=4))


def command(build: Build, tools: Tools) -> list[str]:
    """The command; it is to be started in the folder of the network."""
    return [
        tools.qemu,
        *_board(build),
        *_firmware(build, tools),
        *_consoles(build),
        *_drives(build),
        *_network(build),
    ]


def _board(build: Build) -> Iterator[str]:
    yield from ("-name", f"guest={build.name}", "-nodefaults", "-no-user-config", "-display", "none")
    yield from ("-machine", "q35", "-rtc", "base=utc", "-device", "virtio-rng-pci")
    yield from processor(build.accelerator)
    yield from ("-smp", str(build.cpus), "-m", f"{build.memory_mib}M")


def _firmware(build: Build, tools: Tools) -> Iterator[str]:
    yield from ("-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={_escaped(tools.code)}")
    yield from ("-drive", f"if=pflash,unit=1,format=raw,file={_escaped(str(build.folder / 'firmware.fd'))}")
    serial = build.serial or build.name
    yield from (
        "-smbios",
        f"type=1,manufacturer=prov,product=qemu,serial={_escaped(serial)},uuid={uuid_of(build.key)}",
    )
    for argument in build.arguments:
        for taker in ("stub", "boot"):
            text = f"io.systemd.{taker}.kernel-cmdline-extra={argument}"
            yield from ("-smbios", f"type=11,value={_escaped(text)}")


def _consoles(build: Build) -> Iterator[str]:
    log = _escaped(str(build.folder / "console.log"))
    yield from ("-chardev", f"file,id=console,append=on,path={log}", "-serial", "chardev:console")
    yield from ("-chardev", f"socket,id=monitor,server=on,wait=off,path={build.monitor}")
    yield from ("-mon", "chardev=monitor,mode=control")


def _drives(build: Build) -> Iterator[str]:
    yield from ("-device", "virtio-scsi-pci,id=scsi")
    device = "scsi-hd,bus=scsi.0" if build.bus == "scsi" else "virtio-blk-pci"
    for number, (path, format_) in enumerate(zip(build.disks, build.formats, strict=True)):
        drive = f"if=none,id=disk{number},format={format_},discard=unmap,detect-zeroes=unmap,file={_escaped(path)}"
        yield from ("-drive", drive)
        yield from ("-device", f"{device},drive=disk{number},serial=disk{number},bootindex={number}")
    for number, path in enumerate(build.media):
        yield from ("-drive", f"if=none,id=medium{number},format=raw,media=cdrom,readonly=on,file={_escaped(path)}")
        order = len(build.disks) + number
        yield from ("-device", f"scsi-cd,bus=scsi.0,drive=medium{number},bootindex={order}")


def _network(build: Build) -> Iterator[str]:
    attached = build.attachment
    number = number_of(attached.ip)
    if attached.bridge:
        script = _escaped(str(build.folder / ATTACH))
        yield from ("-netdev", f"tap,id=nic,ifname={tap_of(build.key)},script={script},downscript=no")
    else:
        yield from ("-netdev", _wire("nic", f"{number}.{NIC}"))
        yield from ("-netdev", ",".join(_way_out(attached, number)))
        yield from ("-netdev", _wire("up", f"{number}.{UP}"))
        yield from ("-netdev", "hubport,id=hub0,hubid=0,netdev=out", "-netdev", "hubport,id=hub1,hubid=0,netdev=up")
    yield from ("-device", f"virtio-net-pci,netdev=nic,mac={attached.mac},romfile=")


def _wire(name: str, socket: str) -> str:
    return f"dgram,id={name},local.type=unix,local.path={socket},remote.type=unix,remote.path={SOCKET}"


def _way_out(attached: Attachment, number: int) -> Iterator[str]:
    subnet, ip, here = attached.subnet, attached.ip, attached.host
    yield f"user,id=out,ipv6=off,net={subnet},host={inside(subnet, GATEWAY)},dns={inside(subnet, RESOLVER)}"
    yield f"dhcpstart={ip}"
    for port in (TALOS_API, KUBERNETES_API):
        yield f"hostfwd=tcp:{here}:{port}-{ip}:{port}"
    if attached.hand:
        told = _escaped(shlex.join(attached.hand))
        yield f"guestfwd=tcp:{inside(subnet, DELIVERY)}:80-cmd:{told}"


def attachment_script(bridge: str) -> bytes:
    """What qemu calls with the name of the machine's interface, once it has made it."""
    return f'#!/bin/sh\nexec ip link set dev "$1" up master {shlex.quote(bridge)}\n'.encode()


def tap_of(key: str) -> str:
    """The name of the machine's interface on a bridge; an interface's name has at most 15 characters."""
    return f"pv{hashlib.sha256(key.encode()).hexdigest()[:10]}"


def _escaped(text: str) -> str:
    """A text within an option of qemu, where a comma would begin the next one."""
    return text.replace(",", ",,")
