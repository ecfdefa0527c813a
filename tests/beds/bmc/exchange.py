"""One request to a BMC and its answer, as habits see and change them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from attrs import field, frozen

_LOOKED_AT = {
    "HTTP_IF_MATCH": "If-Match",
    "HTTP_AUTHORIZATION": "Authorization",
    "HTTP_X_AUTH_TOKEN": "X-Auth-Token",
    "HTTP_ACCEPT_ENCODING": "Accept-Encoding",
    "HTTP_CONNECTION": "Connection",
}


@frozen
class Asked:
    """A request. `body` is its JSON, None where there is none; `headers` are those that a BMC looks at."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(factory=dict)
    query: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, Any]) -> Asked:
        """The request of a WSGI call."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        text = environ["wsgi.input"].read(length)
        headers = {name: environ[key] for key, name in _LOOKED_AT.items() if key in environ}
        body = json.loads(text) if text else None
        return cls(environ["REQUEST_METHOD"], environ["PATH_INFO"], body, headers, environ.get("QUERY_STRING", ""))

    def does(self, action: str) -> bool:
        """Whether it asks for this action, such as `VirtualMedia.InsertMedia`."""
        return self.method == "POST" and self.path.endswith(f"/Actions/{action}")


@frozen
class Answer:
    """What a BMC says. `body` is None where it says no more than the status, and a text where it is no JSON."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(factory=dict)


Pass: TypeAlias = Callable[[Asked], Answer]
"""Hands a request on to the next habit, and at last to the emulator."""

Habit: TypeAlias = Callable[[Asked, Pass], Answer]


def refusal(status: int, message: str) -> Answer:
    """An error in Redfish's form."""
    info = {"MessageId": "Base.1.0.GeneralError", "Message": message}
    return Answer(status, {"error": {"code": "Base.1.0.GeneralError", "@Message.ExtendedInfo": [info]}})
