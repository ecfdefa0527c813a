"""The client of a daemon's control socket, which starts the daemon when it is needed."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from prov_sim.place import Place, place_of

_TIMEOUT_S: Final = 30.0
_START_S: Final = 20.0


class ControlError(Exception):
    """A control call did not succeed. `code` is stable; the text is for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class _NotYet(ControlError):
    """Nobody listens, and somebody is about to: a daemon starts, or stops."""


class Control:
    """Calls one daemon. Nothing is opened, started or created before the first call; safe to share among threads.

    Codes of its errors: `no-daemon`, `no-answer` (the effect is unknown), `cannot-start`, and what the daemon
    itself refuses with (`conflict`, `invalid`, `not-found`, `dead`, `throttled`, `denied`, `error`).
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self._starting = threading.Lock()

    @classmethod
    def named(cls, daemon: str, environment: Mapping[str, str] | None = None) -> Control:
        """The client of the daemon of that name."""
        return cls(place_of(daemon, os.environ if environment is None else environment))

    def ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """Calls a daemon that runs; raises ControlError `no-daemon` when none does."""
        with self._connected() as connection:
            return _exchange(connection, {"verb": verb, **arguments})

    def ask_if_running(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """Calls a daemon that runs; the empty answer when none does, for then nothing exists."""
        try:
            return self.ask(verb, **arguments)
        except ControlError as err:
            if err.code == "no-daemon":
                return {}
            raise

    def call(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """Calls the daemon, after starting it if none runs, or waiting for one that somebody starts just now."""
        try:
            return self.ask(verb, **arguments)
        except _NotYet:
            pass
        except ControlError as err:
            if err.code != "no-daemon":
                raise
        with self._starting:
            self._start()
        return self.ask(verb, **arguments)

    def stop(self) -> bool:
        """Stops the daemon and returns when it is gone; false when none ran. Raises ControlError."""
        deadline = time.monotonic() + _START_S
        try:
            self._ask_once_it_listens("stop", deadline)
        except ControlError as err:
            if err.code == "no-daemon":
                return False
            raise
        while time.monotonic() < deadline:
            if not self._somebody_holds_the_lock():
                return True
            time.sleep(0.01)
        raise ControlError("no-answer", "the daemon does not stop")

    def _ask_once_it_listens(self, verb: str, deadline: float) -> None:
        while True:
            try:
                self.ask(verb)
                return
            except _NotYet:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.01)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        with contextlib.ExitStack() as stack:
            connection = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            connection.settimeout(_TIMEOUT_S)
            try:
                # A socket address is short; the way through an open folder fits whatever the path is.
                folder = os.open(self.place.socket.parent, os.O_RDONLY | os.O_DIRECTORY)
                stack.callback(os.close, folder)
                _check_owner(os.fstat(folder), self.place)
                connection.connect(f"/proc/self/fd/{folder}/{self.place.socket.name}")
            except (FileNotFoundError, ConnectionRefusedError):
                if self._somebody_holds_the_lock():
                    raise _NotYet("no-answer", "the daemon is starting or stopping") from None
                raise ControlError("no-daemon", "no daemon runs") from None
            except OSError as err:
                raise ControlError("no-answer", f"cannot connect to the daemon: {err.strerror}") from None
            yield connection

    def _somebody_holds_the_lock(self) -> bool:
        try:
            handle = os.open(self.place.lock, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False

    def _start(self) -> None:
        """Starts a daemon and returns when one serves, ours or one that was quicker."""
        _make_folder(self.place)
        deadline = time.monotonic() + _START_S
        process: subprocess.Popen[bytes] | None = None
        while time.monotonic() < deadline:
            serving = self._who_serves()
            if serving is not None:
                if process is not None and serving != process.pid:
                    # Somebody was quicker. Ours must not take over at some later moment.
                    process.terminate()
                    process.wait()
                return
            if process is None or process.poll() is not None:
                process = self._spawn()
            time.sleep(0.02)
        raise ControlError("cannot-start", f"the daemon does not start; its log is {self.place.log}")

    def _who_serves(self) -> int | None:
        """The process id of the daemon, which it tells in its greeting; None while nobody answers."""
        try:
            with self._connected() as connection, connection.makefile("rb") as lines:
                number: int | None = json.loads(lines.readline() or b"{}").get("pid")
        except (ControlError, OSError):
            return None
        return number

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "prov_sim.daemon", "--socket", str(self.place.socket)]
        with open(self.place.log, "ab") as output:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd="/"
            )


def _exchange(connection: socket.socket, request: Mapping[str, Any]) -> dict[str, Any]:
    try:
        with connection.makefile("rwb") as lines:
            lines.readline()  # the greeting
            lines.write(json.dumps(request).encode() + b"\n")
            lines.flush()
            line = lines.readline()
    except OSError:
        line = b""
    if not line:
        raise ControlError("no-answer", "the daemon's answer was lost")
    answer = json.loads(line)
    if not answer["ok"]:
        raise ControlError(answer["code"], answer["text"])
    result: dict[str, Any] = answer["result"]
    return result


def _make_folder(place: Place) -> None:
    folder = place.socket.parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_owner(folder.stat(), place)
    except OSError as err:
        raise ControlError("cannot-start", f"cannot make {folder}: {err.strerror}") from None


def _check_owner(folder: os.stat_result, place: Place) -> None:
    """In a folder of somebody else a stranger could answer, and be told secrets."""
    if folder.st_uid != os.getuid():
        text = f"{place.socket.parent} belongs to somebody else; set PROV_SIM_DIR to a folder of yours"
        raise ControlError("cannot-start", text)
