"""A BMC that speaks Redfish: the emulator of OpenStack's sushy-tools, with the habits of real ones in front of it.

The emulator is not ours and says what a simple BMC says. What it never does (ETags, settings resources, slots that
refuse, fields that some vendors want) are *habits*: small changes to requests and answers, see `habits`.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from attrs import define, field
from beds.bmc.exchange import Answer, Asked, Habit

UUID = "6ae7f5b2-0000-4000-8000-000000000001"
SYSTEM = f"/redfish/v1/Systems/{UUID}"


@define
class BmcBed:
    """One BMC with one machine, over HTTP on loopback.

    state   a folder for what the emulator keeps
    habits  in the order in which a request meets them
    tls     with a certificate, for a BMC that speaks HTTPS
    """

    state: Path
    habits: Sequence[Habit] = ()
    tls: ssl.SSLContext | None = None
    asked: list[Asked] = field(init=False, factory=list)
    _server: WSGIServer = field(init=False)

    def __enter__(self) -> BmcBed:
        emulator = _emulator(self.state)
        self._server = make_server("127.0.0.1", 0, self._front(emulator), _OneByOne, _Quiet)
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        """As an inventory writes it."""
        scheme = "redfish+http" if self.tls is None else "redfish"
        return f"{scheme}://127.0.0.1:{self._server.server_port}"

    def writes(self) -> list[tuple[str, str, Any]]:
        """Method, last part of the path and body of everything that was no GET."""
        return [
            (asked.method, asked.path.rpartition("/")[2], asked.body) for asked in self.asked if asked.method != "GET"
        ]

    def _front(self, emulator: Any) -> Callable[..., Iterable[bytes]]:
        def serve(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            asked = Asked.of(environ)
            self.asked.append(asked)
            answer = self._through(emulator, asked, list(self.habits))
            words = isinstance(answer.body, str)
            text = answer.body if words else "" if answer.body is None else json.dumps(answer.body)
            body = text.encode()
            headers = {
                "Content-Type": "text/html" if words else "application/json",
                "Content-Length": str(len(body)),
                **answer.headers,
            }
            start(f"{answer.status} as it is", list(headers.items()))
            return [body]

        return serve

    def _through(self, emulator: Any, asked: Asked, habits: list[Habit]) -> Answer:
        """The answer of the emulator after every habit had its say on the way there and back."""
        if not habits:
            return _told(emulator, asked)
        first, *rest = habits
        return first(asked, lambda changed: self._through(emulator, changed, rest))


class _OneByOne(WSGIServer):
    """The emulator is not made for two callers at a time."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    """Says nothing about requests."""

    def log_message(self, *args: Any) -> None:
        """Nothing."""


def _emulator(state: Path) -> Any:
    """The emulator with one machine that is off and nothing remembered; there is one in a process."""
    from sushy_tools.emulator.main import app

    machine = {"uuid": UUID, "name": "r1u1", "power_state": "Off", "external_notifier": False, "nics": []}
    app.configure(
        extra_config={
            "SUSHY_EMULATOR_FAKE_DRIVER": True,
            "SUSHY_EMULATOR_STATE_DIR": str(state),
            "SUSHY_EMULATOR_FAKE_SYSTEMS": [machine],
        }
    )
    vars(app).pop("_cache", None)  # what it holds for each of its parts
    return app


def _told(emulator: Any, asked: Asked) -> Answer:
    """One request to the emulator itself."""
    client = emulator.test_client()
    reply = client.open(asked.path, method=asked.method, json=asked.body, headers=list(asked.headers.items()))
    return Answer(reply.status_code, reply.get_json(silent=True), {})
