"""Media for BMCs over HTTP, while a run lasts.

A disc is at `/TOKEN/HOST.iso`: BMCs want a plain path that ends so. The token is made of the configuration on the
disc, which is full of secrets, so nobody guesses it; and a run that goes on where another was cut off serves the same
disc at the same place.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO

from attrs import define, field

from provisioner.sdk import OperatorNeeded

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_PIECE = 1 << 20


def token(config: str, host: str) -> str:
    """What makes the place of a host's disc hard to guess: 32 hexadecimal digits."""
    return hmac.new(config.encode(), host.encode(), hashlib.sha256).hexdigest()[:32]


def place(address: str) -> tuple[str, int]:
    """The host and port to serve at; raises OperatorNeeded for all interfaces, and for what is no address."""
    host, _, port = address.rpartition(":")
    if host in ("", "0.0.0.0", "[::]") or not port.isdecimal():  # noqa: S104  (that is what is refused)
        raise OperatorNeeded(
            "there is no place to serve media at",
            detail=f"`serve` of the metal provider is {address!r}",
            remedy="set `serve` to an address of this computer that BMCs can reach, and a port: 10.0.0.5:8069",
        )
    return host.strip("[]"), int(port)


@define
class MediaServer:
    """Serves discs at `address`, a host and a port; listens from the first disc on."""

    address: str
    _discs: dict[str, IO[bytes]] = field(init=False, factory=dict)
    _server: ThreadingHTTPServer | None = field(init=False, default=None)
    _lock: threading.Lock = field(init=False, factory=threading.Lock)

    def url(self, host: str, secret: str, make: Callable[[], IO[bytes]]) -> str:
        """Where the host's disc is served; `make` is asked for it once. Raises OperatorNeeded."""
        path = f"/{secret}/{host}.iso"
        with self._lock:
            self._listen()
            if path not in self._discs:
                self._discs[path] = make()
        return f"http://{self.address}{path}"

    def served(self, host: str, secret: str) -> str | None:
        """Where the host's disc is served, if it is there already."""
        path = f"/{secret}/{host}.iso"
        return f"http://{self.address}{path}" if path in self._discs else None

    def forget(self, host: str) -> None:
        """Serves the host's discs no longer."""
        with self._lock:
            for path in [path for path in self._discs if path.endswith(f"/{host}.iso")]:
                self._discs.pop(path).close()

    def close(self) -> None:
        """Stops listening; all discs are gone."""
        with self._lock:
            if self._server is not None:
                self._server.shutdown()
                self._server.server_close()
                self._server = None
            for disc in self._discs.values():
                disc.close()
            self._discs.clear()

    def _listen(self) -> None:
        if self._server is not None:
            return
        where = place(self.address)
        discs = self._discs

        class Handler(_Handler):
            def disc(self) -> IO[bytes] | None:
                return discs.get(self.path)

        try:
            self._server = ThreadingHTTPServer(where, Handler)
        except OSError as err:
            raise OperatorNeeded(
                "media cannot be served at this place",
                detail=f"{self.address}: {err.strerror or err}",
                remedy="set `serve` to an address of this computer and a free port",
            ) from None
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="media", daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    """GET and HEAD of a disc, whole or in pieces."""

    protocol_version = "HTTP/1.1"

    def disc(self) -> IO[bytes] | None:
        """The disc that is asked for."""
        return None

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def log_message(self, *args: object) -> None:
        """Says nothing: a path is a secret."""

    def _answer(self, *, body: bool) -> None:
        disc = self.disc()
        if disc is None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        size = os.fstat(disc.fileno()).st_size
        first, last = self._asked(size)
        whole = (first, last) == (0, size - 1)
        self.send_response(200 if whole else 206)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last - first + 1))
        if not whole:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        while body and first <= last:
            piece = os.pread(disc.fileno(), min(_PIECE, last - first + 1), first)
            self.wfile.write(piece)
            first += len(piece)

    def _asked(self, size: int) -> tuple[int, int]:
        """First and last byte that are wanted; everything where the range makes no sense."""
        match = _RANGE.fullmatch(self.headers.get("Range", ""))
        if match is None or match.groups() == ("", ""):
            return 0, size - 1
        begin, end = match.groups()
        first = int(begin) if begin else max(0, size - int(end))
        last = min(int(end), size - 1) if begin and end else size - 1
        return (first, last) if first <= last else (0, size - 1)
