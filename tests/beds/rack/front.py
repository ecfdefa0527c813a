"""Where BMCs answer: a listener per BMC on an address of its own, in the clear or with a certificate."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from attrs import define, field
from beds.bmc.exchange import Answer, Asked

_HEADERS = ("Authorization", "If-Match", "X-Auth-Token")


@define(eq=False)
class Front:
    """One BMC's listener. `answer` has the request's answer; `trouble` says how its connections go wrong.

    requests  how many have arrived
    """

    host: str
    port: int
    answer: Callable[[Asked], Answer]
    deaf: Callable[[], str]
    slow_s: Callable[[], float]
    context: ssl.SSLContext | None = None
    requests: int = 0
    asked: list[Asked] = field(factory=list)
    _server: Any = field(default=None)

    def open(self) -> None:
        """Listens, unless it refuses connections."""
        if self.deaf() == "refuses":
            return
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def serve(self) -> None:
                front.serve(self)

            do_GET = do_POST = do_PATCH = do_DELETE = serve

            def log_message(self, *args: Any) -> None:
                """Nothing."""

        class Listener(ThreadingHTTPServer):
            request_queue_size = 64
            daemon_threads = True
            block_on_close = False

            def get_request(self) -> tuple[Any, Any]:
                sock, address = super().get_request()
                if front.context is not None:
                    sock.settimeout(60)
                    sock = front.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
                return sock, address

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A caller that hung up is no error of ours."""

        self._server = Listener((self.host, self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """One request."""
        length = int(handler.headers.get("Content-Length") or 0)
        text = handler.rfile.read(length)
        headers = {name: handler.headers[name] for name in _HEADERS if name in handler.headers}
        asked = Asked(handler.command, handler.path, json.loads(text) if text else None, headers)
        self.requests += 1
        self.asked.append(asked)
        if self.deaf() == "mute":
            _wait_for_the_end(handler.connection)
            handler.close_connection = True
            return
        try:
            answer = self.answer(asked)
        except ConnectionError:
            handler.close_connection = True
            return
        if self.slow_s():
            time.sleep(self.slow_s())
        body = b"" if answer.body is None else json.dumps(answer.body).encode()
        handler.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", "OData-Version": "4.0", **answer.headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True


def _wait_for_the_end(connection: socket.socket) -> None:
    """Says nothing until the other side gives up."""
    try:
        while connection.recv(1024):
            pass
    except OSError:
        return
