"""Acme as the conformance kit wants to see the back end of a provider."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import frozen
from prov_acme.cloud import Cloud

from provisioner.conformance.back_end import BackEnd, Fault

_CODES: Mapping[Fault, str] = {
    "throttled": "throttled",
    "denied": "denied",
    "quota": "quota",
    "conflict": "busy",
    "timeout": "no-answer",
    "lost": "no-answer",
}
_REQUESTS = {"read": "list", "create": "create", "update": "change", "delete": "delete"}


@frozen
class AcmeRemote(BackEnd):
    """Acme in a folder of the test."""

    cloud: Cloud

    def existing(self) -> frozenset[str]:
        return frozenset(self.cloud.state()["things"])

    def requests(self) -> int:
        return int(self.cloud.state()["requests"])

    def writes(self) -> int:
        return int(self.cloud.state()["writes"])

    def lose(self, id_: str) -> None:
        self.cloud.delete(id_)

    def fail(self, fault: Fault, kind: str, verb: str) -> bool:
        if (kind, verb) == ("acme.address", "update"):
            return False  # it makes no request
        self.cloud.trouble(f"{_REQUESTS[verb]} {kind.partition('.')[2]}", _CODES[fault], lost=fault == "lost")
        return True

    @contextmanager
    def silence(self) -> Iterator[None]:
        for what in ("address", "disk", "machine"):
            self.cloud.trouble(f"list {what}", "no-answer")
        yield

    def pass_time(self, seconds: float) -> None:
        self.cloud.skip(seconds)

    def shown(self) -> str:
        return json.dumps([_open(thing) for thing in self.cloud.state()["things"].values()])


def _open(thing: Mapping[str, Any]) -> Mapping[str, Any]:
    """What Acme shows to whoever may list things: all but the user-data of machines."""
    return {**thing, "body": {name: value for name, value in thing["body"].items() if name != "user_data"}}
