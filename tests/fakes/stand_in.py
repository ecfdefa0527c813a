"""Virtual machines that boot the stand-in image, with waits on what they say on their consoles."""

from __future__ import annotations

import functools
import http.server
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define, field
from fakes.talos_client import Secrets, Talos

from provisioner.talos.api._wire import machine_pb2

SCHEMATIC = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"
FIRMWARE = Path("/usr/share/OVMF")
PATIENCE_S = 180.0
"""The longest a machine may take to its next word; emulated on a busy computer it may be slow."""


class Console:
    """What a machine says, as it says it; `expect` goes on behind what was found before."""

    def __init__(self, stream: Any, log: Path) -> None:
        self._text = ""
        self._seen = 0
        self._ended = False
        self._news = threading.Condition()
        self._log = log
        self._reader = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._reader.start()

    def expect(self, *texts: str, patience_s: float = PATIENCE_S) -> str:
        """The line with the first of these texts to come; an AssertionError shows what was said instead."""
        deadline = time.monotonic() + patience_s
        with self._news:
            while True:
                found = [at for at in (self._text.find(text, self._seen) for text in texts) if at >= 0]
                end = self._text.find("\n", min(found)) if found else -1
                if end >= 0:
                    self._seen = end
                    return self._text[self._text.rfind("\n", 0, end) + 1 : end].strip()
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    raise AssertionError(f"{texts} was never said:\n" + self._text[self._seen :][-4000:])
                self._news.wait(left)

    def saw(self, text: str) -> bool:
        """Whether it was ever said."""
        with self._news:
            return text in self._text

    def wait_end(self) -> None:
        """Returns once the machine says nothing any more, for it has no power."""
        self._reader.join(PATIENCE_S)
        assert not self._reader.is_alive(), "the machine still has power"

    def _read(self, stream: Any) -> None:
        with self._log.open("ab") as log:
            while data := stream.read1(65536):
                log.write(data)
                log.flush()
                with self._news:
                    self._text += data.decode("utf-8", "replace").replace("\r", "")
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


@define
class Vm:
    """One virtual machine. `port` on loopback leads to its API; `segment` is the network it shares with others."""

    name: str
    folder: Path
    segment: int = 0
    memory_mib: int = 512
    media: list[Path] = field(factory=list)
    serial_number: str = ""
    disk: Path | None = None
    disk_bytes: int = 512 << 20
    more: tuple[str, ...] = ()
    port: int = 0
    kubernetes_port: int = 0
    process: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    console: Console = field(init=False)

    def start(self) -> Vm:
        """Switches it on."""
        self.port, self.kubernetes_port = self.port or free_port(), self.kubernetes_port or free_port()
        if self.disk is None:
            self.disk = self.folder / f"{self.name}.disk"
            with self.disk.open("wb") as handle:
                handle.truncate(self.disk_bytes)
        variables = self.folder / f"{self.name}.vars"
        if not variables.exists():
            shutil.copy(FIRMWARE / "OVMF_VARS_4M.fd", variables)
        command = self._command(variables)
        self.began = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.console = Console(self.process.stdout, self.folder / f"{self.name}.log")
        return self

    def cut(self) -> None:
        """Cuts its power."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    @property
    def seconds(self) -> float:
        """How long ago it was switched on."""
        return round(time.monotonic() - self.began, 1)

    @property
    def resident_mib(self) -> int:
        """What the machine takes of this computer's memory now."""
        assert self.process is not None
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.partition("VmRSS:")[2].split()[0]) // 1024

    def _command(self, variables: Path) -> list[str]:
        firmware = FIRMWARE / "OVMF_CODE_4M.fd"
        words = ["qemu-system-x86_64", "-accel", "tcg,tb-size=64", "-machine", "q35", "-cpu", "max", "-smp", "1"]
        words += ["-m", str(self.memory_mib), "-display", "none", "-nodefaults", "-serial", "stdio"]
        words += ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={firmware}"]
        words += ["-drive", f"if=pflash,format=raw,unit=1,file={variables}"]
        words += ["-device", "virtio-scsi-pci", "-device", "virtio-rng-pci"]
        words += ["-drive", f"if=none,id=d0,format=raw,cache=unsafe,file={self.disk}"]
        words += ["-device", "scsi-hd,drive=d0,bootindex=1"]
        for number, path in enumerate(self.media, start=2):
            words += ["-drive", f"if=none,id=cd{number},media=cdrom,format=raw,readonly=on,file={path}"]
            words += ["-device", f"scsi-cd,drive=cd{number},bootindex={number}"]
        forwards = f"hostfwd=tcp:127.0.0.1:{self.port}-:50000,hostfwd=tcp:127.0.0.1:{self.kubernetes_port}-:6443"
        words += ["-netdev", f"user,id=n0,{forwards}", "-device", "virtio-net-pci,netdev=n0,romfile="]
        if self.segment:
            mac = "52:54:00:" + ":".join(f"{byte:02x}" for byte in self.name.encode()[-3:].rjust(3, b"0"))
            words += ["-netdev", f"socket,id=n1,mcast=230.77.0.1:{self.segment},localaddr=127.0.0.1"]
            words += ["-device", f"virtio-net-pci,netdev=n1,mac={mac},romfile="]
        if self.serial_number:
            words += ["-smbios", f"type=1,serial={self.serial_number.replace(',', ',,')}"]
        return [*words, *self.more]


@define
class Bed:
    """What the tests of one session share: built images, a server for them, machines that get stopped."""

    factory: Path
    folder: Path
    url: str = ""
    machines: list[Vm] = field(factory=list)
    requests: list[str] = field(factory=list)
    broken: set[str] = field(factory=set)

    def artifact(self, name: str, version: str = "v1.13.9") -> Path:
        return self.factory / "image" / SCHEMATIC / version / name

    def vm(self, name: str, **more: Any) -> Vm:
        """A machine of that name, not yet on."""
        machine = Vm(name, self.folder, **more)
        self.machines.append(machine)
        return machine

    def volume(self, label: str, files: Mapping[str, str]) -> Path:
        """A CD with this label and these files."""
        folder = self.folder / f"{label}-{len(list(self.folder.glob('*.iso')))}"
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        image = folder.with_suffix(".iso")
        command = ["xorriso", "-as", "mkisofs", "-quiet", "-J", "-r", "-V", label, "-o", str(image), str(folder)]
        subprocess.run(command, check=True, capture_output=True)
        return image

    def raw_disk(self, artifact: Path) -> Path:
        """A disk with the contents of a packed disk image."""
        target = self.folder / f"{artifact.name}-{len(self.machines)}.disk"
        unpack = ["zstd", "-dc"] if artifact.suffix == ".zst" else ["xz", "-dc"]
        with target.open("wb") as handle:
            subprocess.run([*unpack, str(artifact)], check=True, stdout=handle)
        return target

    def stop(self) -> None:
        for machine in self.machines:
            machine.cut()


@contextmanager
def serving(bed: Bed) -> Iterator[None]:
    """Serves the built images, and whatever lies in the bed's own folder, over HTTP on loopback."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            bed.requests.append(path)
            plain = path.partition("?")[0].lstrip("/")
            place = (bed.factory if plain.startswith(("image/", "v2/")) else bed.folder) / plain
            return str(_broken(place, bed.folder) if place.name in bed.broken else place)

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    bed.url = f"http://10.0.2.2:{server.server_address[1]}"  # how a machine on QEMU's user network sees us
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _broken(path: Path, folder: Path) -> Path:
    """A copy of a file with one byte changed."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    copy = folder / f"broken-{path.name}"
    copy.write_bytes(data)
    return copy


def config(bed: Bed, made: Secrets, kind: str, name: str, endpoint: str, address: str = "", **machine: Any) -> str:
    """A configuration that installs to the first disk, and takes upgrades from the bed's server."""
    interfaces = [{"interface": "eth1", "addresses": [f"{address}/24"]}] if address else []
    settings: dict[str, Any] = {
        "certSANs": ["127.0.0.1"],
        "install": {"disk": "/dev/sda"},
        "network": {"interfaces": interfaces},
        "registries": {"mirrors": {"factory.talos.dev": {"endpoints": [bed.url]}}},
    }
    return made.config(kind, name, endpoint, **{**settings, **machine})


def admin(vm: Vm, made: Secrets, folder: Path) -> Talos:
    """An administrator's client for a machine."""
    return Talos("127.0.0.1", made.client(), made.os, folder, vm.port)


def installer(version: str, platform: str = "metal") -> str:
    """How a configuration and an upgrade call name an image."""
    return f"factory.talos.dev/{platform}-installer/{SCHEMATIC}:{version}"


def until(look: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """The first true thing `look` gives; calls that find nobody count as nothing yet."""
    deadline = time.monotonic() + patience_s
    last: Exception | None = None
    while time.monotonic() < deadline:
        try:
            found = look()
        except (OSError, ConnectionError, TimeoutError) as err:
            found, last = None, err
        if found:
            return found
    raise AssertionError(f"it did not come true ({last})")


def ready(vm: Vm, made: Secrets, folder: Path) -> Mapping[str, Any] | None:
    """The machine's status, once it calls itself ready."""
    told = admin(vm, made, folder).get("MachineStatuses.runtime.talos.dev", "machine")
    return told if told["stage"] == "running" and told["status"]["ready"] else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


BOOTSTRAP = machine_pb2.BootstrapRequest()
