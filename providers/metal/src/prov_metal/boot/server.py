"""HTTP for machines that boot: GET and HEAD, whole or in pieces, by many at a time.

Firmware and BMCs are odd clients: some read a disc in thousands of small pieces, some keep a connection and say
nothing, some go away in the middle. Nothing of that holds up another one, and nothing is written about it but what
the request log has.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

from attrs import frozen

from prov_metal.boot.blobs import Blob
from provisioner.sdk import OperatorNeeded

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_PIECE = 1 << 20
_SILENCE_S = 120.0
"""How long a connection may say nothing."""


@frozen
class Asked:
    """A request: the path and what its query says, decoded, and the address that it comes from."""

    path: str
    query: Mapping[str, str]
    peer: str


@frozen
class Answer:
    """What is to be sent: a status, and the blob that goes with a 200; `sent` hears what became of it, and bytes."""

    status: int
    blob: Blob | None
    mime: str
    sent: Callable[[int, int], None]


@frozen
class Place:
    """Where to listen, and how the URLs begin that lead there."""

    host: str
    port: int
    base: str


def place(address: str, *, everywhere: bool = False, secure: bool = False) -> Place:
    """Of the setting `serve`, an address and a port; raises OperatorNeeded for what machines cannot reach.

    everywhere  listens on all interfaces, not on that address only
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        unusable = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        unusable = host == "" or "/" in host
    if unusable or not (port.isdecimal() and 0 < int(port) < 65536):
        raise OperatorNeeded(
            "there is no place to serve at",
            detail=f"`serve` of the metal provider is {address!r}",
            remedy="set `serve` to an address of this computer that hosts and BMCs can reach, and a port, such as "
            "10.0.0.5:8069; `serve_everywhere: true` listens on all others too",
        )
    shown = f"[{host}]" if ":" in host else host
    listen = ("::" if ":" in host else "0.0.0.0") if everywhere else host  # noqa: S104  (somebody has said so)
    return Place(listen, int(port), f"{'https' if secure else 'http'}://{shown}:{port}")


def listening(where: Place, answer: Callable[[Asked], Answer], tls: ssl.SSLContext | None) -> ThreadingHTTPServer:
    """A server that listens, and has yet to be told to serve; raises OperatorNeeded."""
    handler = type("Handler", (_Handler,), {"answer": staticmethod(answer), "tls": tls})
    family = _Server6 if ":" in where.host else _Server
    try:
        return family((where.host, where.port), handler)
    except OSError as err:
        raise OperatorNeeded(
            "nothing can be served at this place",
            detail=f"{where.base}: {err.strerror or err}",
            remedy="set `serve` to an address of this computer and a free port; where `prov serve` runs beside this, "
            "say `serve_alone: true`",
        ) from None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: clients go away, and what they asked for is a secret."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _SILENCE_S
    answer: ClassVar[Callable[[Asked], Answer]]
    tls: ClassVar[ssl.SSLContext | None]

    def setup(self) -> None:
        if self.tls is not None:  # here, so that a slow handshake holds up its own thread only
            self.request.settimeout(_SILENCE_S)
            self.request = self.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def do_GET(self) -> None:
        self._respond(body=True)

    def do_HEAD(self) -> None:
        self._respond(body=False)

    def log_message(self, *args: object) -> None:
        """Says nothing: a path is a secret."""

    def _respond(self, *, body: bool) -> None:
        parts = urlsplit(self.path)
        peer = str(self.client_address[0])
        answer = type(self).answer(Asked(unquote(parts.path), dict(parse_qsl(parts.query)), peer))
        if answer.blob is None:
            answer.sent(answer.status, 0)
            self.send_response(answer.status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        size = answer.blob.size
        first, last = _wanted(self.headers.get("Range", ""), size)
        status = 200 if (first, last) == (0, size - 1) else 206
        self.send_response(status)
        self.send_header("Content-Type", answer.mime)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(last - first + 1))
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        if body:
            self.end_headers()
            self._send(answer, status, first, last)
        else:
            answer.sent(status, 0)
            self.end_headers()

    def _send(self, answer: Answer, status: int, first: int, last: int) -> None:
        """Sends these bytes; told is what was sent just before the last of them is, or once there is an end to it."""
        assert answer.blob is not None
        at, told = first, False
        try:
            while at <= last:
                piece = answer.blob.read(at, min(_PIECE, last - at + 1))
                if not piece:  # it was taken away: the client must not take this for the whole
                    self.close_connection = True
                    break
                at += len(piece)
                if at > last:
                    told = True
                    answer.sent(status, at - first)
                self.wfile.write(piece)
        finally:
            if not told:
                answer.sent(status, at - first)


def _wanted(header: str, size: int) -> tuple[int, int]:
    """First and last byte that are wanted; everything where the range makes no sense."""
    match = _RANGE.fullmatch(header)
    if match is None or match.groups() == ("", ""):
        return 0, size - 1
    begin, end = match.groups()
    first = int(begin) if begin else max(0, size - int(end))
    last = min(int(end), size - 1) if begin and end else size - 1
    return (first, last) if first <= last else (0, size - 1)
