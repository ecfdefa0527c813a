"""The daemon: one process that holds a world and serves a control socket.

`python -m prov_sim.daemon --socket PATH [--seed N]`. It runs until it is told to stop, until nobody can
reach its socket any more, or until it has held nothing for ten minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import logging
import os
import resource
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any, Final

from prov_sim.listing import NOTICE
from prov_sim.place import Place
from prov_sim.verbs import AnswerLost, Verbs
from prov_sim.world import Refused, World

PROTOCOL: Final = 1
"""Number of the control protocol, told in the greeting."""

_IDLE_S: Final = 600.0
_WATCH_S: Final = 5.0
_TAKEOVER_S: Final = 5.0
_LINE_LIMIT: Final = 16 << 20

log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="prov_sim.daemon", description=NOTICE)
    parser.add_argument("--socket", required=True, type=Path, help="where to listen for control calls")
    parser.add_argument("--seed", type=int, default=0, help="makes ids repeatable")
    options = parser.parse_args(arguments)
    place = Place(options.socket)
    lock = _lock(place)
    if lock is None:
        return 0  # another daemon was quicker, and serves whoever started us
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    logging.getLogger("grpclib").setLevel(logging.ERROR)
    _open_many_files()
    log.info("pid %d listens on %s. %s", os.getpid(), place.socket, NOTICE)
    try:
        asyncio.run(Daemon(place, options.seed).run())
    finally:
        os.close(lock)
    return 0


class Daemon:
    """Serves one JSON object per line, each answered by one line, after a line of greeting."""

    def __init__(self, place: Place, seed: int) -> None:
        self._place = place
        self._world = World(seed)
        self._stopping = asyncio.Event()
        self._serving: set[asyncio.Task[None]] = set()
        self._verbs = Verbs(self._world, self._stopping.set)

    async def run(self) -> None:
        """Until it is told to stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        listener = _listen(self._place.socket)
        inode = self._place.socket.stat().st_ino
        server = await asyncio.start_unix_server(self._accept, sock=listener, limit=_LINE_LIMIT)
        watch = loop.create_task(self._watch(inode))
        await self._stopping.wait()
        # Whoever comes now shall find no daemon, and start another.
        self._place.socket.unlink(missing_ok=True)
        watch.cancel()
        server.close()
        self._world.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        log.info("stopped")

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            _write(writer, {"prov-sim": PROTOCOL, "pid": os.getpid(), "notice": NOTICE})
            while line := await reader.readline():
                answer = await self._answer(line)
                if answer is None:
                    break
                _write(writer, answer)
                await writer.drain()
        except (ConnectionError, ValueError):
            log.debug("a control connection ended in the middle of a call")
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any] | None:
        """The answer to one call; None when a fault says it gets lost."""
        try:
            request = json.loads(line)
            return {"ok": True, "result": await self._verbs.call(request["verb"], request)}
        except AnswerLost:
            return None
        except Refused as err:
            return {"ok": False, "code": err.code, "text": str(err)}
        except (KeyError, TypeError, json.JSONDecodeError) as err:
            log.exception("a control call made no sense")
            return {"ok": False, "code": "invalid", "text": f"the call makes no sense: {type(err).__name__}"}
        except Exception as err:
            log.exception("a control call failed")
            return {"ok": False, "code": "error", "text": f"{type(err).__name__}: {err}"}

    async def _watch(self, inode: int) -> None:
        """Stops the daemon when it is of no use any more."""
        busy = time.monotonic()
        while True:
            await asyncio.sleep(_WATCH_S)
            if not self._world.empty:
                busy = time.monotonic()
            try:
                reachable = self._place.socket.stat().st_ino == inode
            except OSError:
                reachable = False
            if not reachable or time.monotonic() - busy > _IDLE_S:
                log.info("idle, or out of reach")
                self._stopping.set()


def _open_many_files() -> None:
    """Lifts our own limit as far as we may: each machine takes a listener, and each of its clients a file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _write(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    writer.write(json.dumps(message).encode() + b"\n")


def _listen(path: Path) -> socket.socket:
    """A listening socket only its owner may connect to. The path may be longer than a socket address can be."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    before = os.umask(0o177)
    try:
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.umask(before)
        os.close(folder)
    listener.listen(100)
    return listener


def _lock(place: Place) -> int | None:
    """The right to be the daemon of this place, held until death; None when another daemon serves it."""
    handle = os.open(place.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + _TAKEOVER_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except BlockingIOError:
            # Either it serves, or it is about to stop and frees the lock.
            if time.monotonic() > deadline or place.socket.exists():
                os.close(handle)
                return None
            time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
