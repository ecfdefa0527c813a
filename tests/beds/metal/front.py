"""In front of the emulator: a BMC whose firmware boots from a URL by itself.

The emulator takes a URL for UEFI HTTP boot, fetches it in place of the machine, and puts it into the drive. Here the
machine is told to boot from its network card, and its firmware speaks HTTP over that; what the BMC says of it
afterwards is what it was told. Everything else goes through as it is.
"""

from __future__ import annotations

import json
import ssl
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from attrs import define, field

TARGET = "BootSourceOverrideTarget"


@define
class Front:
    """At `address` and `port`, for the BMC at `upstream`; `urls` are those that it was told to boot from."""

    address: str
    port: int
    upstream: str
    certificate: Path
    urls: list[str] = field(factory=list)
    _fetches: bool = field(init=False, default=False)
    _server: ThreadingHTTPServer = field(init=False)

    def __enter__(self) -> Front:
        front = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                status, told = front.told(self.command, self.path, body, self.headers.get("Authorization", ""))
                data = b"" if told is None else json.dumps(told).encode() if not isinstance(told, bytes) else told
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_DELETE = answer

            def log_message(self, *args: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer((self.address, self.port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def told(self, method: str, path: str, body: Any, credentials: str) -> tuple[int, Any]:
        """Status and body of the answer."""
        if method == "PATCH" and TARGET in (boot := (body or {}).get("Boot") or {}):
            self._fetches = boot[TARGET] == "UefiHttp"
            if self._fetches:
                self.urls.append(boot.pop("HttpBootUri", ""))
                boot[TARGET] = "Pxe"
        status, told = self._asked(method, path, body, credentials)
        if isinstance(told, dict) and TARGET in (boot := told.get("Boot") or {}):
            boot[f"{TARGET}@Redfish.AllowableValues"] = ["Pxe", "Cd", "Hdd", "UefiHttp"]
            if self._fetches:
                boot |= {TARGET: "UefiHttp", "HttpBootUri": self.urls[-1]}
        return status, told

    def _asked(self, method: str, path: str, body: Any, credentials: str) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} | ({"Authorization": credentials} if credentials else {})
        request = urllib.request.Request(self.upstream + path, data=data, method=method, headers=headers)
        context = ssl.create_default_context(cafile=str(self.certificate))
        try:
            with urllib.request.urlopen(request, context=context, timeout=60) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as err:
            status, text = err.code, err.read()
        try:
            return status, json.loads(text) if text else None
        except ValueError:
            return status, text
