"""The same kills for Terraform and for prov: a run that makes twelve things dies, and is started again.

    python tests/crash/terraform.py [TRIALS]

Terraform makes `terraform_data` resources, each of which asks a small HTTP server for an object when it is made and
takes it away when it is destroyed; that is the nearest to a cloud that needs no provider from a registry. prov makes
a cluster of one control plane and ten workers behind a balancer on simulated machines. Both are killed with all
their child processes, at moments spread evenly over the time a whole run takes; server and simulator live on, as a
cloud does. Then the same command runs again, to its end. Prints one table.

Exit code 0 whatever comes out: this measures, and the tests judge prov. 2 where there is no Terraform.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol

from attrs import frozen

sys.path.insert(0, str(Path(__file__).parents[1]))

from crash.ground import Ground
from crash.matrix import fresh_ground
from fakes.lab import PROV, cluster

TRIALS = 12
THINGS = 12
SERVING_S = 0.3
"""How long the server takes to make an object."""
TIME_SCALE = 0.05
"""The pace of the simulated machines, so that a run takes about as long as Terraform's."""

MAIN = """
resource "terraform_data" "thing" {
  count = %(things)d
  provisioner "local-exec" {
    command = "%(python)s -S make.py POST %(url)s/${self.id}/thing-${count.index}"
  }
  provisioner "local-exec" {
    when    = destroy
    command = "%(python)s -S make.py DELETE %(url)s/${self.id}/"
  }
}
"""
MAKE = """
import sys, urllib.request
method, url = sys.argv[1:]
urllib.request.urlopen(urllib.request.Request(url, method=method)).read()
"""


@frozen
class Count:
    """What exists and what the record knows: `orphans` are on no record, `doubles` have a name that another has."""

    exist: int
    recorded: int
    orphans: int
    doubles: int


@frozen
class Trial:
    """One kill: what there was right after it, how the same command then ended, and what there was in the end."""

    seconds: float
    killed: bool
    after_kill: Count
    code: int
    at_end: Count


class Contender(Protocol):
    """Something that makes twelve things."""

    name: str

    def apply(self) -> subprocess.Popen[bytes]: ...

    def count(self) -> Count: ...

    def reset(self) -> None: ...


class Server:
    """Objects by id, each with a name that need not be its own, as machines have in most clouds."""

    def __init__(self) -> None:
        self.objects: dict[str, str] = {}
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.objects))
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self._http.shutdown()


def _handler(objects: dict[str, str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            time.sleep(SERVING_S)
            self._change(lambda id_, name: objects.update({id_: name}))

        def do_DELETE(self) -> None:
            self._change(lambda id_, _: objects.pop(id_, None))

        def _change(self, change) -> None:  # type: ignore[no-untyped-def]
            _, id_, name = self.path.split("/")
            change(id_, name)
            with contextlib.suppress(OSError):  # who asked may be dead by now
                self.send_response(200)
                self.end_headers()

        def log_message(self, *_: object) -> None: ...

    return Handler


class Terraform:
    """Twelve resources that ask the server for an object each."""

    name = "Terraform"

    def __init__(self, folder: Path, server: Server) -> None:
        self._folder, self._server = folder, server
        self._environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "CHECKPOINT_DISABLE": "1"}
        self._environ["TF_CLI_CONFIG_FILE"] = os.devnull
        words = {"things": THINGS, "python": sys.executable, "url": server.url}
        (folder / "main.tf").write_text(MAIN % words)
        (folder / "make.py").write_text(MAKE)
        subprocess.run([*self._command("init")], cwd=folder, env=self._environ, check=True, capture_output=True)

    def apply(self) -> subprocess.Popen[bytes]:
        return _start(self._command("apply", "-auto-approve"), self._folder, self._environ)

    def count(self) -> Count:
        time.sleep(2 * SERVING_S)  # what the server was asked for is made, whoever asked
        file = self._folder / "terraform.tfstate"
        text = file.read_text() if file.exists() else ""
        resources = json.loads(text)["resources"] if text else []
        recorded = {instance["attributes"]["id"] for one in resources for instance in one["instances"]}
        return _counted(list(self._server.objects.items()), recorded)

    def reset(self) -> None:
        for path in self._folder.glob("*tfstate*"):
            path.unlink()
        self._server.objects.clear()

    def _command(self, *args: str) -> Sequence[str]:
        return ["terraform", args[0], "-no-color", "-input=false", *args[1:]]


class Prov:
    """A cluster of eleven machines and a balancer."""

    name = "prov"

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        document = cluster(1, THINGS - 2)
        document["providers"]["sim"]["time_scale"] = TIME_SCALE
        ground.lab.write(document)

    def apply(self) -> subprocess.Popen[bytes]:
        return _start([str(PROV), "apply", "--yes"], self._ground.lab.folder, self._ground.lab.environ)

    def count(self) -> Count:
        world, state = self._ground.world(), self._ground.state()
        things = [*world["machines"], *world["balancers"]]
        recorded = {entry.key for entry in state.entries.values()} if state else set()
        return _counted([(thing["key"], thing["name"]) for thing in things], recorded & {t["key"] for t in things})

    def reset(self) -> None:
        self._ground.lab.prov("destroy", "--yes")
        shutil.rmtree(self._ground.lab.folder / ".prov")


def _start(command: Sequence[str], folder: Path, environ: dict[str, str]) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        command, cwd=folder, env=environ, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
    )


def _counted(objects: Sequence[tuple[str, str]], recorded: set[str]) -> Count:
    orphans = [id_ for id_, _ in objects if id_ not in recorded]
    return Count(len(objects), len(recorded), len(orphans), len(objects) - len({name for _, name in objects}))


def measure(contender: Contender, trials: int) -> list[Trial]:
    """Kills at moments in the middle of equal parts of the time a whole run takes."""
    began = time.monotonic()
    code = contender.apply().wait()
    took = time.monotonic() - began
    assert code == 0, f"an undisturbed run of {contender.name} ends with {code}"
    contender.reset()
    return [_trial(contender, took * (number + 0.5) / trials) for number in range(trials)]


def _trial(contender: Contender, seconds: float) -> Trial:
    run = contender.apply()
    with contextlib.suppress(subprocess.TimeoutExpired):
        run.wait(timeout=seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGKILL)
    killed = run.wait() == -signal.SIGKILL
    after_kill = contender.count()
    code = contender.apply().wait()
    trial = Trial(seconds, killed, after_kill, code, contender.count())
    contender.reset()
    return trial


def row(name: str, trials: Sequence[Trial]) -> str:
    """The sums of one contender's trials as a line of the table."""
    killed = [trial for trial in trials if trial.killed]
    cells = [
        name,
        len(killed),
        sum(trial.after_kill.exist > 0 and trial.after_kill.recorded == 0 for trial in killed),
        sum(trial.after_kill.orphans for trial in killed),
        sum(trial.code != 0 for trial in killed),
        sum(trial.at_end.orphans for trial in killed),
        sum(trial.at_end.doubles for trial in killed),
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


HEAD = """\
| | kills | record empty though things exist | orphans after the kill | second runs that fail | orphans in the end \
| doubles in the end |
| --- | --- | --- | --- | --- | --- | --- |"""


@contextmanager
def _contenders() -> Iterator[list[Contender]]:
    folder, server = Path(tempfile.mkdtemp(prefix="crash-terraform-")), Server()
    with fresh_ground() as ground:
        yield [Terraform(folder, server), Prov(ground)]
    server.close()
    shutil.rmtree(folder)


def main(trials: int) -> int:
    if shutil.which("terraform") is None:
        print("there is no `terraform` on the PATH, so nothing is compared", file=sys.stderr)
        return 2
    print(HEAD)
    with _contenders() as contenders:
        for contender in contenders:
            print(row(contender.name, measure(contender, trials)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else TRIALS))
