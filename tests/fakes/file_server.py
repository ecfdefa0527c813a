"""An HTTP server for files that goes wrong in the ways one is told."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from attrs import define, field, frozen


@frozen
class Cut:
    """The connection ends after so many bytes of the body."""

    after: int


@frozen
class Status:
    """An answer without the file."""

    code: int
    headers: tuple[tuple[str, str], ...] = ()


@frozen
class Redirect:
    """The file is elsewhere."""

    to: str


@frozen
class Hold:
    """Sends so many bytes and waits for the event before the rest."""

    after: int
    until: threading.Event


Fault = Cut | Status | Redirect | Hold


@define
class FileServer:
    """Files by path. `faults` strike one request each, in order; `requests` has what was asked."""

    url: str
    files: dict[str, bytes] = field(factory=dict)
    ranges: bool = True
    faults: deque[Fault] = field(factory=deque)
    requests: list[tuple[str, str, dict[str, str]]] = field(factory=list)
    answers: dict[tuple[str, str], Callable[[bytes], tuple[int, str, bytes]]] = field(factory=dict)
    """Further answers by method and path: from the body to status, content type and body."""


@contextmanager
def file_server() -> Iterator[FileServer]:
    """A server on a free port of this machine, for as long as the block lasts."""

    class Handler(_Handler):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.told = FileServer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Handler.told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    told: FileServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name is the base class's)
        pass

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.told.requests.append((self.command, self.path, dict(self.headers)))
        fault = self.told.faults.popleft() if self.told.faults else None
        match fault:
            case Status(code, headers):
                self._answer(code, b"not now\n", headers)
            case Redirect(to):
                self._answer(302, b"", (("Location", to),))
            case _:
                self._regular(body, fault)

    def _regular(self, body: bytes, fault: Fault | None) -> None:
        path = self.path.partition("?")[0]
        if (answer := self.told.answers.get((self.command, path))) is not None:
            code, kind, text = answer(body)
            self._answer(code, text, (("Content-Type", kind),))
        elif (content := self.told.files.get(path)) is None:
            self._answer(404, b"not found\n")
        else:
            self._file(content, fault)

    def _file(self, content: bytes, fault: Fault | None) -> None:
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        asked = self.headers.get("Range", "")
        start = 0
        if self.told.ranges and asked and self.headers.get("If-Range") in (None, etag):
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self._answer(416, b"", (("Content-Range", f"bytes */{len(content)}"),))
                return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if self.told.ranges:
            self.send_header("ETag", etag)
        self.end_headers()
        if self.command != "HEAD":
            self._body(content[start:], fault)

    def _body(self, content: bytes, fault: Fault | None) -> None:
        match fault:
            case Cut(after):
                self.wfile.write(content[:after])
                self.close_connection = True
            case Hold(after, until):
                self.wfile.write(content[:after])
                self.wfile.flush()
                until.wait(20)
                self.wfile.write(content[after:])
            case _:
                self.wfile.write(content)

    def _answer(self, code: int, body: bytes, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
