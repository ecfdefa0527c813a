"""Machines that ask by DHCP and TFTP as their firmware would, on a cable in a network namespace of its own.

Run as a program in such a namespace, with the name of a scenario; prints what came of it as JSON.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from prov_metal.boot.dhcp import DhcpSettings, Guest
from prov_metal.boot.dnsmasq import Dnsmasq

HERE, RANGE = "10.78.0.1", "10.78.0.100,10.78.0.150,255.255.255.0"
BASE = f"http://{HERE}:8069"
ONE, TWO, STRANGER = "52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:99"
MACHINES, MACHINE, CARD = "machines", "10.78.0.200", "52:54:00:00:00:aa"
T = TypeVar("T")
BIOS, UEFI, WEB = 0, 7, 16
_FIRST = bytes((71, 4, 0x80, 0, 0, 0, 255))
"""The first entry of the menu that a BIOS was sent, which is all that is in it."""
_COOKIE = b"\x63\x82\x53\x63"


def cable() -> None:
    """A cable: this computer at one end, machines in a namespace of their own at the other."""
    Path("/run/netns").mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run/netns"], check=True)
    for words in (
        "link set lo up",
        f"netns add {MACHINES}",
        f"link add prov0 type veth peer name prov1 address {CARD} netns {MACHINES}",
        f"address add {HERE}/24 dev prov0",
        "link set prov0 up",
        f"-n {MACHINES} address add {MACHINE}/24 dev prov1",
        f"-n {MACHINES} link set prov1 up",
    ):
        subprocess.run(["ip", *words.split()], check=True)


def _there(work: Callable[..., T], *given: Any) -> T:
    """What a work gives when it is done where the machines are; a namespace is a matter of the thread."""

    def move() -> T:
        with Path(f"/run/netns/{MACHINES}").open() as namespace:
            assert ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0) == 0
        return work(*given)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(move).result()


def asked(
    mac: str, arch: int, *, ipxe: bool = False, again: bool = False, seconds: float = 20.0
) -> Mapping[str, str] | None:
    """What a machine with this card is offered; None if nobody answers in time.

    again  asks the boot server itself, at port 4011, as a machine does that has its address from another server
    """
    return _there(_asked, mac, arch, ipxe, again, seconds)


def _asked(mac: str, arch: int, ipxe: bool, again: bool, seconds: float) -> Mapping[str, str] | None:
    hardware = bytes.fromhex(mac.replace(":", ""))
    number = os.urandom(4)
    vendor = f"{'HTTPClient' if arch == WEB else 'PXEClient'}:Arch:{arch:05d}:UNDI:003016".encode()
    options = {53: b"\x03" if again else b"\x01", 60: vendor, 93: struct.pack(">H", arch)}
    options |= {55: bytes((1, 3, 6, 43, 54, 60, 66, 67))}
    options |= {175: b"\x01\x01\x01"} if ipxe else {}
    options |= {43: _FIRST} if again and arch == BIOS else {}
    own = socket.inet_aton(MACHINE if again else "0.0.0.0")
    packet = struct.pack(">BBBB4sHH4s12s16s64s128s", 1, 1, 6, 0, number, 0, 0x8000, own, b"", hardware, b"", b"")
    packet += _COOKIE + b"".join(bytes((code, len(value))) + value for code, value in options.items()) + b"\xff"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as machine:
        machine.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        machine.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"prov1")
        machine.bind(("", 68))
        machine.settimeout(seconds)
        machine.sendto(packet, (HERE, 4011) if again else ("255.255.255.255", 67))
        while True:
            try:
                reply = machine.recv(4096)
            except TimeoutError:
                return None
            if reply[4:8] == number:
                return _offer(reply)


def _offer(reply: bytes) -> Mapping[str, str]:
    options: dict[int, bytes] = {}
    rest = reply[240:]
    while rest and rest[0] != 255:
        if rest[0] == 0:
            rest = rest[1:]
            continue
        code, size = rest[0], rest[1]
        options[code] = rest[2 : 2 + size]
        rest = rest[2 + size :]
    file = options.get(67, reply[108:236]).rstrip(b"\0").decode()
    return {
        "address": socket.inet_ntoa(reply[16:20]),
        "server": socket.inet_ntoa(reply[20:24]),
        "file": file,
        "class": options.get(60, b"").rstrip(b"\0").decode(),
    }


def fetched(name: str) -> int:
    """The size of a file by TFTP; -1 where it cannot be had."""
    return _there(_fetched, name)


def _fetched(name: str) -> int:
    size = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as machine:
        machine.settimeout(60)
        machine.sendto(b"\0\x01" + name.encode() + b"\0octet\0", (HERE, 69))
        while True:
            reply, peer = machine.recvfrom(2048)
            if reply[:2] != b"\0\x03":
                return -1
            size += len(reply) - 4
            machine.sendto(b"\0\x04" + reply[2:4], peer)
            if len(reply) < 516:
                return size


def hosts() -> dict[str, Any]:
    """One host comes, another one comes, the first goes."""
    dnsmasq = Dnsmasq(DhcpSettings("prov0", RANGE), BASE)
    dnsmasq.welcome(Guest("r1u1", (ONE,), "10.78.0.11"))
    pid = dnsmasq._child.pid if dnsmasq._child else 0
    found: dict[str, Any] = {
        "bios": asked(ONE, BIOS),
        "uefi": asked(ONE, UEFI),
        "web": asked(ONE, WEB),
        "ipxe": asked(ONE, UEFI, ipxe=True),
        "stranger": asked(STRANGER, BIOS, seconds=1.0),
        "files": [fetched("undionly.kpxe"), fetched("ipxe.efi"), fetched("../config")],
    }
    dnsmasq.welcome(Guest("r1u2", (TWO,)))
    found["two"] = _until(lambda: asked(TWO, UEFI, seconds=1.0))
    found["same"] = dnsmasq._child is not None and dnsmasq._child.pid == pid
    dnsmasq.dismiss("r1u1")
    found["gone"] = _until(lambda: True if asked(ONE, BIOS, seconds=0.5) is None else None)
    found["log"] = [line.rpartition("]: ")[2] for line in dnsmasq.log() if "DHCPOFFER" in line and ONE in line][:1]
    folder = dnsmasq._files.folder if dnsmasq._files else Path("/")
    found["private"] = oct(folder.stat().st_mode & 0o777)
    dnsmasq.close()
    found["left"] = [folder.exists(), Path(f"/proc/{pid}").exists()]
    return found


def proxied() -> dict[str, Any]:
    """Another server gives out addresses; this one says what to boot, also to who asks it again at port 4011."""
    dnsmasq = Dnsmasq(DhcpSettings("prov0", proxy="10.78.0.0"), BASE)
    dnsmasq.welcome(Guest("r1u1", (ONE,), "10.78.0.11"))
    found = {
        "asked": {
            "bios": asked(ONE, BIOS),
            "bios at 4011": asked(ONE, BIOS, again=True),
            "uefi": asked(ONE, UEFI),
            "uefi at 4011": asked(ONE, UEFI, again=True),
            "ipxe by bios": asked(ONE, BIOS, ipxe=True),
            "ipxe by uefi": asked(ONE, UEFI, ipxe=True),
            "web": asked(ONE, WEB),
        },
        "stranger": asked(STRANGER, BIOS, seconds=1.0),
        "machine": MACHINE,
        "card": dnsmasq.card(MACHINE) if fetched("ipxe.efi") > 0 else "",
        "nobody": dnsmasq.card("10.78.0.201"),
    }
    dnsmasq.close()
    return found


def killed() -> dict[str, Any]:
    """The process that had it is killed, of which dnsmasq hears nothing."""
    code = (
        "import os, signal, beds.metal.pxe as p\n"
        "d = p.Dnsmasq(p.DhcpSettings('prov0', p.RANGE), p.BASE)\n"
        "d.welcome(p.Guest('r1u1', (p.ONE,)))\n"
        "print(d._child.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    pid = int(done.stdout)
    return {"ended": -done.returncode, "gone": _until(lambda: not _alive(pid))}


def in_the_way() -> dict[str, Any]:
    """Somebody else listens to the port, or the interface is not there."""
    found = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("", 67))
        found["port"] = _error(DhcpSettings("prov0", RANGE))
    found["interface"] = _error(DhcpSettings("prov9", RANGE))
    return found


def _error(settings: DhcpSettings) -> str:
    dnsmasq = Dnsmasq(settings, BASE)
    try:
        dnsmasq.welcome(Guest("r1u1", (ONE,)))
    except Exception as err:
        return f"{err}: {getattr(err, 'detail', '')}"
    finally:
        dnsmasq.close()
    return ""


def _alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def _until(found: Callable[[], Any]) -> Any:
    """The first answer that is one, of at most six hundred."""
    for _ in range(600):
        if answer := found():
            return answer
        signal.sigtimedwait([signal.SIGUSR1], 0.1)
    return None


if __name__ == "__main__":
    cable()
    print(json.dumps({"hosts": hosts, "proxied": proxied, "killed": killed, "in_the_way": in_the_way}[sys.argv[1]]()))
