"""A laboratory with secrets planted in it, which keeps whatever a run lets out."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fakes.lab import Lab

LAUNCHER = Path(__file__).with_name("launcher.py")
_LOOK_S = 0.01
"""Between two looks at the command lines of all processes."""


class Aviary:
    """Runs commands in a laboratory and collects, by where it was: output, logs, state, plans, command lines."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.blobs: dict[str, bytes] = {}
        self._runs = 0

    def run(self, *args: str, code: int | None = 0, keep: bool = True, **environ: str) -> None:
        """One command with all logs at DEBUG, which must end with `code` unless that is None.

        `keep` is false for output in which secrets have their place.
        """
        self._runs += 1
        name = f"{self._runs:02} {shlex.join(args)}"
        log = self.lab.folder / "debug.log"
        with self._watched(name):
            done = subprocess.run(
                [sys.executable, LAUNCHER, *args],
                cwd=self.lab.folder,
                env={**self.lab.environ, "CANARY_LOG": str(log), "PROV_DEBUG": "1", **environ},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=300,
            )
        text = (done.stdout + done.stderr).decode()
        assert code in (None, done.returncode), f"{name} → {done.returncode}\n{text}"
        if keep:
            self.blobs |= {f"{name}: output": done.stdout, f"{name}: talk": done.stderr}
        self.blobs[f"{name}: log"] = log.read_bytes()
        log.unlink()
        self._keep_files(name)

    def _keep_files(self, name: str) -> None:
        """State, lock, plans, the simulator's log: all files but those we wrote and those that hand secrets over."""
        ours = {path.name for path in self.lab.folder.iterdir() if path.suffix == ".yaml"}
        for path in sorted(self.lab.folder.rglob("*")):
            handed_over = path.suffix in (".kubeconfig", ".talosconfig")
            if path.is_file() and path.name not in ours and not handed_over:
                self.blobs[f"{name}: {path.relative_to(self.lab.folder)}"] = path.read_bytes()

    @contextmanager
    def _watched(self, name: str) -> Iterator[None]:
        """Keeps the command lines of all processes that are seen meanwhile."""
        seen: set[bytes] = set()
        done = threading.Event()

        def watch() -> None:
            while not done.wait(_LOOK_S):
                seen.update(_command_lines())

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
        self.blobs[f"{name}: command lines"] = b"\n".join(sorted(seen))


def _command_lines() -> Iterator[bytes]:
    for process in os.listdir("/proc"):
        if process.isdigit():
            try:
                yield Path("/proc", process, "cmdline").read_bytes()
            except OSError:
                continue
