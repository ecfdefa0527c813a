"""Runs of the command, one at a time, through the starter."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from attrs import frozen
from fakes.lab import Lab

STARTER = Path(__file__).with_name("starter.py")
KILLED = -signal.SIGKILL
TIMEOUT_S = 300


@frozen
class Ended:
    """How a run ended: its exit code, -9 where it was killed; None where it did not end in time. And what it said."""

    code: int | None
    text: str


class Runner:
    """Runs `prov` in a laboratory. One process at a time; closed at the end."""

    def __init__(self, lab: Lab, *modules: str) -> None:
        """`modules` are further ones that its runs import sooner or later."""
        self._lab = lab
        self.child: int | None = None
        """The process that runs, if one does."""
        self._starter = subprocess.Popen(
            [sys.executable, STARTER, *modules], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )

    def run(self, *args: str, **environ: str) -> Ended:
        """The command from its start to its end, with more in its environment."""
        assert self._starter.stdin is not None
        out, err = (self._lab.folder / name for name in ("out", "err"))
        request = {
            "args": args,
            "cwd": str(self._lab.folder),
            "environ": {**self._lab.environ, **environ},
            "out": str(out),
            "err": str(err),
        }
        self._starter.stdin.write(json.dumps(request).encode() + b"\n")
        child = self.child = self._answer()
        code = self._answer(TIMEOUT_S)
        self.child = None
        if code is None and child is not None:
            os.kill(child, signal.SIGKILL)
            self._answer()
        return Ended(code, out.read_text() + err.read_text())

    def close(self) -> None:
        """Lets the starter go."""
        self._starter.communicate()

    def _answer(self, timeout_s: float | None = None) -> int | None:
        assert self._starter.stdout is not None
        ready, _, _ = select.select([self._starter.stdout], [], [], timeout_s)
        return int(self._starter.stdout.readline()) if ready else None
