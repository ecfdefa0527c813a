"""`prov serve` on a computer that has what the guide has brought there, and hears what a run elsewhere says.

What is heard is followed as it is said. The computer that serves cannot see the files of the other one: a file system
without anything lies over them there.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from attrs import define, field
from fakes.stand_in import Console
from fakes.yard import LAUNCHER, Yard

PATIENCE_S: Final = 300.0
_ROUND_S: Final = 0.5
_HIDDEN: Final = 'mount -t tmpfs tmpfs "$0" && exec "$@"'


@define
class Server:
    """`prov serve` of a project, which has `folder` and the environment, with `within` before its words.

    heard  what it said, by each time that it was started
    """

    project: Yard
    folder: Path
    within: Sequence[str]
    heard: list[Console] = field(factory=list)
    _process: subprocess.Popen[bytes] | None = field(init=False, default=None)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def start(self) -> None:
        """Starts it, once more where it was killed."""
        words = (*self.within, "unshare", "--mount", "sh", "-c", _HIDDEN, str(self.project.folder))
        environ = self.project.environ | {
            "HOME": str(self.folder),
            "PROV_CACHE": str(self.folder / "cache"),
            "PROV_AGE_KEY_FILE": str(self.folder / "age.key"),
        }
        self._process = subprocess.Popen(
            [*words, sys.executable, str(LAUNCHER), "serve", "--json"],
            cwd=self.folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.heard.append(Console(self._process.stdout, self.folder / "serve.log"))

    def says(self, text: str) -> str:
        """The next line with this text, of the process that was started last."""
        return self.heard[-1].expect(text, patience_s=PATIENCE_S)

    def kill(self) -> None:
        """Kills it, of which it hears nothing."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ends it as Ctrl-C does; its exit code."""
        return self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(how)
        return self._process.wait(PATIENCE_S)


@contextmanager
def brought(project: Yard, there: Path) -> Iterator[None]:
    """Has the cluster file and the identity in a folder, and a copy of the state, made anew again and again."""
    there.mkdir()
    shutil.copy(project.folder / "cluster.yaml", there)
    shutil.copy(identity(project), there / "age.key")
    over = threading.Event()

    def bring() -> None:
        while not over.wait(_ROUND_S):
            _copied(project.folder / ".prov" / "rack.db", there / ".prov" / "rack.db")

    thread = threading.Thread(target=bring)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def identity(project: Yard) -> Path:
    """The file of the age identity that the project made."""
    return project.folder / "home" / ".config" / "prov" / "age.key"


def _copied(state: Path, place: Path) -> None:
    """As `sqlite3 STATE ".backup COPY"` does it, and a move; nothing where there is no state yet."""
    if not state.exists():
        return
    place.parent.mkdir(exist_ok=True)
    draft = place.with_suffix(".new")
    with contextlib.closing(sqlite3.connect(state)) as here, contextlib.closing(sqlite3.connect(draft)) as copy:
        here.backup(copy)
    draft.replace(place)


@contextmanager
def begun(project: Yard, *words: str) -> Iterator[Console]:
    """A command that runs by itself; what it says, both ways. In the end it has ended, and well."""
    command = [*project.within, sys.executable, str(LAUNCHER), *words]
    with subprocess.Popen(
        command, cwd=project.folder, env=project.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as run:
        try:
            yield Console(run.stdout, project.folder / "said")
            assert run.wait(PATIENCE_S) == 0
        finally:
            run.kill()


@contextmanager
def followed(console: Path) -> Iterator[Console]:
    """What a machine says from its first word on."""
    words = ("tail", "-c", "+1", "-F", str(console))
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as reader:
        try:
            yield Console(reader.stdout, console.with_suffix(".followed"))
        finally:
            reader.kill()
