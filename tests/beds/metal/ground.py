"""The ground that racked servers stand on: libvirt and emulated BMCs, in the namespaces that the script made.

Nothing here is prov's: libvirt runs the machines, OpenStack's sushy-tools speaks Redfish for them, and dnsmasq is the
DHCP server that a site has anyway. `scripts/metal-test.sh` makes the namespaces; without them nothing is started.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from attrs import define, field
from beds.metal.machines import Machine, address_of, mac_of, run, virsh
from fakes.stand_in import until

GATEWAY: Final = "10.77.0.1"
"""This computer, as machines and BMCs see it."""
USERNAME: Final = "admin"
PASSWORD: Final = "rack and pinion"
POOL: Final = Path("/var/lib/libvirt/images")
CONFIG: Final = Path("/etc/libvirt")
QEMU: Final = """user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
cgroup_controllers = []
namespaces = []
clear_emulator_capabilities = 0
stdio_handler = "file"
"""
LIBVIRTD: Final = 'auth_unix_rw = "none"\nauth_unix_ro = "none"\nlog_outputs = "3:file:{log}"\n'
EMULATOR: Final = """SUSHY_EMULATOR_LISTEN_IP = {ip!r}
SUSHY_EMULATOR_LISTEN_PORT = {port}
SUSHY_EMULATOR_SSL_CERT = {certificate!r}
SUSHY_EMULATOR_SSL_KEY = {key!r}
SUSHY_EMULATOR_AUTH_FILE = {users!r}
SUSHY_EMULATOR_LIBVIRT_URI = "qemu:///system"
SUSHY_EMULATOR_STATE_DIR = {state!r}
SUSHY_EMULATOR_STORAGE_POOL = "default"
SUSHY_EMULATOR_ALLOWED_INSTANCES = [{uuid!r}]
"""


@define
class Ground:
    """What all tests share. `folder` is for logs and settings; disks lie where libvirt looks for them."""

    folder: Path
    tools: Path
    machines: dict[str, Machine] = field(factory=dict)
    _started: list[subprocess.Popen[bytes]] = field(factory=list)

    def __enter__(self) -> Ground:
        self.folder.mkdir(parents=True, exist_ok=True)
        CONFIG.joinpath("libvirtd.conf").write_text(LIBVIRTD.format(log=self.folder / "libvirtd.log"))
        CONFIG.joinpath("qemu.conf").write_text(QEMU)
        own = ("-f", str(CONFIG / "libvirtd.conf"), "-p", str(self.folder / "libvirtd.pid"))
        self.start("libvirtd", "libvirtd", *own)
        until(lambda: virsh("list", check=False) is not None, 60.0)
        POOL.mkdir(parents=True)
        for words in (("define-as", "default", "dir", "--target", str(POOL)), ("start", "default")):
            virsh(f"pool-{words[0]}", *words[1:])
        self._certificate()
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.machines):
            self.remove(name)
        for process in reversed(self._started):
            process.terminate()
            process.wait(30)

    def add(self, name: str, number: int, **more: object) -> Machine:
        """A machine that is off and has an empty disk, with a BMC of its own that speaks Redfish."""
        machine = Machine(name, number, self.folder, **more)  # type: ignore[arg-type]
        self.machines[name] = machine
        disk = disk_of(name)
        file = self.folder / f"{name}.xml"
        file.write_text(machine.xml(disk))
        virsh("define", str(file))
        virsh("pool-refresh", "default")
        return machine

    def remove(self, name: str) -> None:
        """Takes a machine out of the rack, on or off."""
        self.machines.pop(name)
        virsh("destroy", name, check=False)
        virsh("undefine", name, "--nvram")

    def redfish(self, machine: Machine) -> str:
        """Starts the BMC of a machine; its address as an inventory writes it."""
        port = 8000 + machine.number
        state = self.folder / f"{machine.name}.bmc"
        state.mkdir()
        settings = state / "emulator.conf"
        settings.write_text(
            EMULATOR.format(
                ip=GATEWAY,
                port=port,
                certificate=str(self.certificate),
                key=str(self.folder / "bmc.key"),
                users=str(self.folder / "users"),
                state=str(state),
                uuid=machine.uuid,
            )
        )
        environ = {**os.environ, "TMPDIR": str(state)}
        self.start(
            f"{machine.name}.bmc", str(self.tools / "sushy-emulator"), "--config", str(settings), environ=environ
        )
        machine.bmc = f"https://{GATEWAY}:{port}"
        until(lambda: machine.redfish("/redfish/v1", self.certificate), 60.0)
        return f"redfish://{GATEWAY}:{port}"

    @contextmanager
    def dhcp(self, within: Sequence[str] = (), interface: str = "br0") -> Iterator[Path]:
        """The DHCP server of the site: every machine has its address, and nothing else is told. Gives its log.

        within, interface  on which computer it runs, and where it listens there
        """
        hosts = [f"--dhcp-host={mac_of(number)},{address_of(number)}" for number in range(2, 100)]
        process = self.start(
            "dhcp",
            *within,
            *("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--bind-interfaces"),
            *(f"--interface={interface}", "--dhcp-authoritative", "--user=root", "--log-dhcp", "--log-facility=-"),
            *(f"--dhcp-leasefile={self.folder / 'leases'}", "--dhcp-range=10.77.0.0,static,255.255.255.0", *hosts),
        )
        yield self.folder / "dhcp.out"
        self.stop(process)

    def start(self, log: str, *words: str, environ: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Starts a program that ends with the bed, whatever it says in a log."""
        with (self.folder / f"{log}.out").open("ab") as out:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environ)
        self._started.append(process)
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """Ends one program."""
        self._started.remove(process)
        process.terminate()
        process.wait(30)

    @property
    def certificate(self) -> Path:
        """That of the BMCs, which is its own authority."""
        return self.folder / "bmc.pem"

    def _certificate(self) -> None:
        words = ("openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        names = ("-subj", "/CN=bmc", "-addext", f"subjectAltName=IP:{GATEWAY}", "-days", "2")
        run(*words, *names, "-keyout", str(self.folder / "bmc.key"), "-out", str(self.certificate))
        program = "import bcrypt, sys; print(bcrypt.hashpw(sys.argv[1].encode(), bcrypt.gensalt(4)).decode())"
        hashed = run(str(self.tools / "python"), "-c", program, PASSWORD).strip()
        (self.folder / "users").write_text(f"{USERNAME}:{hashed}\n")


def has_partitions(name: str) -> bool:
    """Whether there is a table of partitions on the disk of a machine that is off, as qemu's own tool reads it."""
    head = POOL / f"{name}.head"
    run(
        "qemu-img",
        "dd",
        "-f",
        "qcow2",
        "-O",
        "raw",
        "bs=512",
        "count=2",
        f"if={POOL / f'{name}.qcow2'}",
        f"of={head}",
    )
    return head.read_bytes()[512:520] == b"EFI PART"


def given(log: Path, host: Machine) -> set[str]:
    """The addresses that the site's DHCP server gave to a machine, by its log."""
    return set(re.findall(rf"DHCPACK\(\S+\) (\S+) {host.mac}", log.read_text()))


def disk_of(name: str) -> Path:
    """An empty disk for a machine."""
    disk = POOL / f"{name}.qcow2"
    disk.unlink(missing_ok=True)
    run("qemu-img", "create", "-q", "-f", "qcow2", str(disk), "1G")
    return disk
