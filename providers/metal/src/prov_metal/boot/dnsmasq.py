"""dnsmasq as a child: answers hosts that boot over the network, and dies with this process.

Its files are in a folder that only this user can read. Hosts come and go while it runs: it reads its list of network
cards again when it is told to.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import grp
import os
import pwd
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from attrs import define, field

from prov_metal.boot.dhcp import BIOS, UEFI, DhcpSettings, Files, Guest, card, config, hosts, neighbour
from prov_metal.boot.scratch import scratch
from provisioner.sdk import OperatorNeeded

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_NEIGHBOURS = Path("/proc/net/arp")
_TAIL = 64 * 1024
_SETTLES_S = 5.0
"""In this time dnsmasq says what is wrong with its configuration, or serves."""


@define
class Dnsmasq:
    """One dnsmasq at one interface; runs from the first guest on."""

    settings: DhcpSettings
    base: str
    program: str = "dnsmasq"
    _files: Files | None = field(init=False, default=None)
    _child: subprocess.Popen[bytes] | None = field(init=False, default=None)
    _guests: dict[str, Guest] = field(init=False, factory=dict)
    _lock: threading.Lock = field(init=False, factory=threading.Lock)

    def welcome(self, guest: Guest) -> None:
        """Answers a host from now on; raises OperatorNeeded where dnsmasq does not run."""
        with self._lock:
            changed = self._guests.get(guest.host) != guest
            self._guests[guest.host] = guest
            if self._child is None or self._child.poll() is not None:
                self._start()
            elif changed:
                self._tell()

    def dismiss(self, host: str) -> None:
        """Answers a host no longer."""
        with self._lock:
            if self._guests.pop(host, None) is not None and self._child is not None:
                self._tell()

    def card(self, address: str) -> str:
        """The network card that was given an address; empty where none was.

        Where another server gives out addresses it is the card that answers for this one.
        """
        try:
            if self.settings.proxy:
                return neighbour(_NEIGHBOURS.read_text(), address, self.settings.interface)
            return card(self._files.leases.read_text(errors="replace"), address) if self._files else ""
        except OSError:
            return ""

    def log(self) -> list[str]:
        """The last lines that dnsmasq wrote, at most 64 KiB; also what went wrong when it came to its end."""
        if self._files is None:
            return []
        try:
            raw = self._files.log.read_bytes()[-_TAIL:]
        except OSError:
            return []
        return raw.decode(errors="replace").splitlines()

    def close(self) -> None:
        """Ends dnsmasq; its folder is gone."""
        with self._lock:
            if self._child is not None:
                self._child.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._child.wait(_SETTLES_S)
                self._child.kill()
                self._child.wait()
                self._child = None
            if self._files is not None:
                shutil.rmtree(self._files.folder, ignore_errors=True)
                self._files = None

    def _start(self) -> None:
        path = shutil.which(self.program) or shutil.which(self.program, path="/usr/sbin:/sbin:/usr/local/sbin")
        if path is None:
            raise OperatorNeeded(
                "dnsmasq is not installed",
                detail="`dhcp` of the metal provider needs it",
                remedy="install it (`apt install dnsmasq-base`), or leave `dhcp` out and have your own server send "
                f"hosts to {self.base}/boot.ipxe",
            )
        if self._files is None:
            self._files = _folder(self.settings)
            atexit.register(self.close)
        files = self._files
        user, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
        files.config.write_text(config(self.settings, self.base, files, user, group))
        self._write(files)
        self._child = _child([path, "--conf-file=" + str(files.config)])
        if not self._serves(files):
            said = next((line for line in reversed(self.log()) if "FAILED" in line or "failed" in line), "")
            said = said or (self._child.stderr.read().decode(errors="replace").strip() if self._child.stderr else "")
            self._child = None
            raise OperatorNeeded(
                "dnsmasq does not start",
                detail=said.rpartition("]: ")[2][-300:] or f"at {self.settings.interface}",
                remedy="look at `dhcp`: is the interface right, is another DHCP server running on this computer, and "
                "may prov listen to port 67? (as root, or with the capabilities net_admin, net_raw and "
                "net_bind_service)",
            )

    def _serves(self, files: Files) -> bool:
        """Whether it has come up; waits until that is known."""
        assert self._child is not None
        until = time.monotonic() + _SETTLES_S
        while time.monotonic() < until:
            if self._child.poll() is not None:
                return False
            if files.log.exists() and "started, version" in files.log.read_text(errors="replace"):
                return True
            time.sleep(0.02)
        return True

    def _tell(self) -> None:
        """Has dnsmasq read the lists of hosts again."""
        assert self._files is not None
        assert self._child is not None
        self._write(self._files)
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGHUP)

    def _write(self, files: Files) -> None:
        draft = files.hosts.with_suffix(".new")
        draft.write_text(hosts(self._guests))
        draft.replace(files.hosts)


def _folder(settings: DhcpSettings) -> Files:
    """A fresh folder with the boot programs in it; raises OperatorNeeded where they are missing."""
    source = Path(settings.ipxe)
    missing = [name for name in (BIOS, UEFI) if not (source / name).exists()]
    if missing:
        raise OperatorNeeded(
            "the boot programs of iPXE are missing",
            detail=f"{' and '.join(missing)} in {source}",
            remedy="install them (`apt install ipxe`), or name their folder as `ipxe` of `dhcp`",
        )
    files = Files(scratch("prov-dhcp-"))
    files.tftp.mkdir()
    for name in (BIOS, UEFI):
        shutil.copy(source / name, files.tftp / name)  # not a link: TFTP serves none
    return files


def _child(command: list[str]) -> subprocess.Popen[bytes]:
    """A child that dies with this process.

    Linux tells a child of the death of the *thread* that made it, so a thread of its own does, and stays.
    """
    made: list[subprocess.Popen[bytes] | OSError] = []
    ready = threading.Event()

    def start() -> None:
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
                preexec_fn=_dying_with(os.getpid()),
            )
        except OSError as err:
            made.append(err)
            ready.set()
            return
        made.append(child)
        ready.set()
        child.wait()

    threading.Thread(target=start, name="dnsmasq", daemon=True).start()
    ready.wait()
    (result,) = made
    if isinstance(result, OSError):
        raise OperatorNeeded("dnsmasq cannot be run", detail=str(result), remedy="look at its file and its rights")
    return result


def _dying_with(parent: int) -> Callable[[], None]:
    def prepare() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


_RUNNING: dict[str, Dnsmasq] = {}
_GUARD = threading.Lock()


def dnsmasq_at(settings: DhcpSettings, base: str) -> Dnsmasq:
    """The dnsmasq of this process at an interface, made when it is first asked for; raises OperatorNeeded."""
    with _GUARD:
        known = _RUNNING.setdefault(settings.interface, Dnsmasq(settings, base))
    if (known.settings, known.base) != (settings, base):
        raise OperatorNeeded(
            "two provider blocks want to answer at one interface in two ways",
            detail=f"{settings.interface}: `dhcp` or `serve` differ",
            remedy="make them agree",
        )
    return known
