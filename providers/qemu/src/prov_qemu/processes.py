"""Processes that outlive us, each known by a lock that it holds itself.

Whoever starts one opens the file `alive` in the folder of the object, locks it, and hands the open file down.
From the first moment, before the program has done anything, the lock is held as long as the process lives, and not a
moment longer. So it never takes a process number to tell whether something runs, no second one can be started beside
it, and nothing is lost if we are killed right after the start.

To end a process its number is needed. It is written down with the time at which the process was started, and is used
only if the process of that number has our file open: a number that was given to somebody else meanwhile is never hit.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

ALIVE: Final = "alive"
PROCESS: Final = "process.json"
LOG: Final = "output.log"


class Processes(Protocol):
    """The processes of objects, by the folder of the object."""

    def start(self, folder: Path, command: Sequence[str], cwd: Path) -> bool:
        """Starts a process for a folder; false where one is alive. Its output goes to `output.log` in the folder."""
        ...

    def alive(self, folder: Path) -> bool:
        """Whether the process of a folder lives."""
        ...

    def kill(self, folder: Path) -> None:
        """Ends the process of a folder where it stands; quiet where there is none."""
        ...


class OwnProcesses:
    """Real processes of this computer. `witness` is told of each "look" and "change" before it happens."""

    def __init__(self, witness: Callable[[str], None]) -> None:
        self._witness = witness

    def start(self, folder: Path, command: Sequence[str], cwd: Path) -> bool:
        self._witness("change")
        handle = os.open(folder / ALIVE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        try:
            with open(folder / LOG, "wb") as output:
                started = subprocess.Popen(
                    command,
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    pass_fds=(handle,),
                )
        finally:
            os.close(handle)
        _write_down(folder, started.pid)
        return True

    def alive(self, folder: Path) -> bool:
        self._witness("look")
        return _held(folder)

    def kill(self, folder: Path) -> None:
        self._witness("change")
        if not _held(folder):
            return
        for pid in _holders(folder):
            # Through a handle: between a look at a number and a signal to it, it may go to somebody else.
            with contextlib.suppress(ProcessLookupError), _opened(pid) as handle:
                if _has_open(pid, folder / ALIVE):
                    signal.pidfd_send_signal(handle, signal.SIGKILL)


def process_of(folder: Path) -> int | None:
    """The number of the live process of a folder, for people to look at; None where there is none."""
    return next(_holders(folder), None) if _held(folder) else None


def last_words(folder: Path) -> str:
    """The last line that the process of a folder has written and that is no mere warning, empty if there is none."""
    try:
        lines = (folder / LOG).read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if ": warning: " not in line), "")


def _held(folder: Path) -> bool:
    try:
        handle = os.open(folder / ALIVE, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _holders(folder: Path) -> Iterator[int]:
    """The process that was written down if it is still the one; else all of ours that have the file open."""
    known = _written_down(folder)
    if known is not None and _has_open(known, folder / ALIVE):
        yield known
        return
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid() and _has_open(int(name), folder / ALIVE):
            yield int(name)


def _has_open(pid: int, path: Path) -> bool:
    try:
        wanted = path.stat()
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                found = os.stat(f"/proc/{pid}/fd/{name}")
                if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                    return True
    except OSError:
        return False
    return False


def _write_down(folder: Path, pid: int) -> None:
    with contextlib.suppress(OSError):  # the lock tells all that matters; this is for a quick look
        (folder / PROCESS).write_text(json.dumps({"pid": pid, "started": _started(pid)}))


def _written_down(folder: Path) -> int | None:
    try:
        found = json.loads((folder / PROCESS).read_bytes())
        return int(found["pid"]) if _started(found["pid"]) == found["started"] else None
    except (OSError, ValueError, KeyError):
        return None


def _started(pid: int) -> int:
    """When a process was started, in clock ticks since the computer was; the 22nd field of proc(5) `stat`."""
    text = Path(f"/proc/{pid}/stat").read_text()
    return int(text.rpartition(")")[2].split()[19])


@contextlib.contextmanager
def _opened(pid: int) -> Iterator[int]:
    handle = os.pidfd_open(pid)
    try:
        yield handle
    finally:
        os.close(handle)
