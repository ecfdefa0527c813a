"""A folder with a cluster file, in which the real `prov` makes real virtual machines.

What a failed test leaves is removed at its end.
Nothing here waits for a time: `prov` waits by itself, and what machines say is followed as they say it.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from attrs import define, field
from fakes.stand_in import SCHEMATIC, Console

ROOT = Path(__file__).parents[2]
LAUNCHER = Path(__file__).parents[1] / "qemu" / "launcher.py"
PATIENCE_S = 300.0
VERSIONS = ("v1.13.9", "v1.13.10")
GATEWAY = "10.5.0.1"
"""How machines see this computer."""


@define
class Yard:
    """One project. `within` are words put before every command, such as those that enter a network of its own."""

    folder: Path
    environ: dict[str, str] = field(factory=dict)
    within: tuple[str, ...] = ()
    patience_s: float = PATIENCE_S
    heard: str = ""
    """What the last command said that was to be killed."""
    consoles: list[subprocess.Popen[bytes]] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        self.environ = {
            **kept,
            "HOME": str(self.folder / "home"),
            "PROV_QEMU_DIR": str(self.folder / "vms"),
            "PROV_CACHE": str(self.folder / "cache"),
            "NO_COLOR": "1",
            **self.environ,
        }
        (self.folder / "home").mkdir(exist_ok=True)

    def write(self, document: Mapping[str, Any]) -> None:
        """Writes the cluster file."""
        (self.folder / "cluster.yaml").write_text(yaml.safe_dump(dict(document), sort_keys=False))

    def prov(self, *words: str, code: int | None = 0, **more: str) -> str:
        """What a command says, both ways; asserts how it ends, `None` for any way."""
        try:
            done = subprocess.run(
                [*self.within, sys.executable, str(LAUNCHER), *words],
                cwd=self.folder,
                env={**self.environ, **more},
                capture_output=True,
                text=True,
                timeout=self.patience_s,
                check=False,
            )
        except subprocess.TimeoutExpired as err:
            heard = b"".join(part for part in (err.stdout, err.stderr) if isinstance(part, bytes)).decode()
            raise AssertionError(f"prov {' '.join(words)} does not end:\n{heard}") from None
        said = done.stdout + done.stderr
        assert code is None or done.returncode == code, (
            f"prov {' '.join(words)} ended with {done.returncode}:\n{said}"
        )
        return said

    def killed(self, point: str, *words: str) -> bool:
        """Runs a command that kills itself at a point; whether it came there."""
        done = subprocess.run(
            [*self.within, sys.executable, str(LAUNCHER), *words],
            cwd=self.folder,
            env={**self.environ, "PROV_CRASH_AT": point},
            capture_output=True,
            text=True,
            timeout=self.patience_s,
            check=False,
        )
        self.heard = done.stdout + done.stderr
        return done.returncode == -signal.SIGKILL

    def points(self, *words: str) -> list[str]:
        """The points that a command passes, by the names they go by, each once."""
        trace = self.folder / "trace"
        trace.unlink(missing_ok=True)
        self.prov(*words, PROV_CRASH_TRACE=str(trace))
        lines = [json.loads(line) for line in trace.read_text().splitlines()]
        return list(dict.fromkeys(line[0] for line in lines))

    def records(self, kind: str) -> list[str]:
        """The names of all objects of a kind that exist."""
        found = (self.folder / "vms" / "clusters").glob(f"*/{kind}/*/record.json")
        return sorted(path.parent.name for path in found)

    def processes(self) -> dict[int, str]:
        """Every live process that has to do with this folder, by number; what each is called."""
        found = {}
        for path in Path("/proc").iterdir():
            if path.name.isdigit():
                try:
                    words = (path / "cmdline").read_bytes().decode(errors="replace").split("\0")
                except OSError:
                    continue
                if words[0] != "tail" and any(str(self.folder) in word for word in words):
                    found[int(path.name)] = _called(words)
        return found

    def machine_folder(self, cluster: str, name: str) -> Path:
        return self.folder / "vms" / "clusters" / cluster / "machine" / name

    def host(self, cluster: str, name: str) -> str:
        """Where a machine is reached from this computer."""
        record = json.loads((self.machine_folder(cluster, name) / "record.json").read_text())
        return str(record["props"]["host"])

    def console(self, cluster: str, name: str, *, new: bool = False) -> Console:
        """What a machine says, from the beginning or from now on."""
        log = self.machine_folder(cluster, name) / "console.log"
        reader = subprocess.Popen(
            ["tail", "-c", "0" if new else "+1", "-F", str(log)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.consoles.append(reader)
        return Console(reader.stdout, self.folder / f"{name}.console")

    def close(self) -> None:
        """Removes whatever a failed test has left."""
        for reader in self.consoles:
            reader.kill()
        for number in self.processes():
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                continue


def built() -> Path:
    """The images of two releases, built where they are not there or older than what they are built from."""
    out = ROOT / "build" / "stand-in" / "factory"
    sources = [*(ROOT / "images" / "stand-in").rglob("*.py"), *(ROOT / "providers" / "sim" / "src").rglob("*.py")]
    newest = max(path.stat().st_mtime for path in sources if "tests" not in path.parts)
    sums = [out / "image" / SCHEMATIC / version / "SHA256SUMS" for version in VERSIONS]
    if not all(path.exists() and path.stat().st_mtime > newest for path in sums):
        words = [word for version in VERSIONS for word in ("--version", version)]
        script = ROOT / "images" / "stand-in" / "build.py"
        subprocess.run([sys.executable, str(script), "--out", str(out), *words], check=True)
    return out


def _called(words: list[str]) -> str:
    guest = next((word for word in words if word.startswith("guest=")), "")
    return guest.partition("=")[2] or ("switch" if "prov_qemu.network.switch" in words else words[0])


@define
class Peer:
    """An Image Factory and a registry on this computer; what is in `damaged` comes with one byte changed."""

    factory: Path
    host: str = "127.0.0.1"
    seen_as: str = GATEWAY
    """The same place, as machines see it."""
    port: int = 0
    requests: list[str] = field(factory=list)
    damaged: set[str] = field(factory=set)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def registry(self) -> str:
        """Where machines get installers from."""
        return f"{self.seen_as}:{self.port}"

    def artifact(self, name: str, version: str = "v1.13.9") -> str:
        """The URL of an artifact, as the Image Factory names it."""
        return f"{self.url}/image/{SCHEMATIC}/{version}/{name}"

    def installer(self, version: str, platform: str = "nocloud") -> str:
        """An installer, as machines name it."""
        return f"{self.registry}/{platform}-installer/{SCHEMATIC}:{version}"

    def sha256(self, name: str, version: str = "v1.13.9") -> str:
        """The checksum that was published with an artifact."""
        text = (self.factory / "image" / SCHEMATIC / version / "SHA256SUMS").read_text()
        return next(line.split()[0] for line in text.splitlines() if line.endswith(f" {name}"))


@contextmanager
def serving(factory: Path, host: str = "127.0.0.1", seen_as: str = GATEWAY) -> Iterator[Peer]:
    """Serves what was built, under the paths of the Image Factory."""
    peer = Peer(factory, host, seen_as)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            peer.requests.append(self.path)
            if Path(self.path).name in peer.damaged:
                data = bytearray(Path(self.translate_path(self.path)).read_bytes())
                data[len(data) // 2] ^= 1
                self._answer(200, bytes(data))
            elif self.path == "/versions":
                versions = sorted(path.name for path in (factory / "image" / SCHEMATIC).iterdir())
                self._answer(200, json.dumps(versions).encode())
            else:
                super().do_GET()

        def do_POST(self) -> None:
            peer.requests.append(self.path)
            self._answer(201, json.dumps({"id": SCHEMATIC}).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer((host, 0), functools.partial(Handler, directory=str(factory)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    peer.port = server.server_address[1]
    try:
        yield peer
    finally:
        server.shutdown()
        server.server_close()
