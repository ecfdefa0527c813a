"""Acme: a cloud in a file, so that the template runs. Your provider has an SDK or an API in this place.

It behaves as clouds do: names are unique, machines take a while, calls fail, and answers get lost. What it is told
about the next troubles is for tests.
"""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import field, frozen

BUILD_S = 0.5
"""How long a machine takes to be built."""
_EMPTY: Mapping[str, Any] = {"made": 0, "skipped_s": 0.0, "requests": 0, "writes": 0, "things": {}, "troubles": []}


class CloudError(Exception):
    """A request failed. Codes: `denied`, `quota`, `taken`, `busy`, `gone`, `throttled`, `no-answer`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@frozen
class Cloud:
    """Acme, by a folder and a token. Safe to use from several threads and processes."""

    folder: Path
    token: str = field(repr=False)

    def list(self, what: str) -> list[Mapping[str, Any]]:
        """All things of a sort, whoever made them."""
        with self._request(f"list {what}") as acme:
            return [_shown(thing, acme) for thing in acme["things"].values() if thing["what"] == what]

    def create(self, what: str, name: str, tags: Mapping[str, str], body: Mapping[str, Any]) -> Mapping[str, Any]:
        """A new thing; its name must be free."""
        with self._request(f"create {what}") as acme:
            if any((thing["what"], thing["name"]) == (what, name) for thing in acme["things"].values()):
                raise CloudError("taken", f"there is a {what} called {name}")
            acme["made"] += 1
            id_ = f"{what}-{acme['made']}"
            thing = {"id": id_, "what": what, "name": name, "tags": dict(tags), "body": dict(body)}
            acme["things"][id_] = {**thing, "host": f"192.0.2.{acme['made'] % 255}", "since": _now(acme)}
            acme["writes"] += 1
            return _shown(acme["things"][id_], acme)

    def change(self, id_: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The thing, with this in its body."""
        with self._request(f"change {id_.partition('-')[0]}") as acme:
            if id_ not in acme["things"]:
                raise CloudError("gone", f"there is no {id_}")
            acme["things"][id_]["body"] |= body
            acme["writes"] += 1
            return _shown(acme["things"][id_], acme)

    def delete(self, id_: str) -> None:
        """Removes a thing, if it is there."""
        with self._request(f"delete {id_.partition('-')[0]}") as acme:
            acme["writes"] += acme["things"].pop(id_, None) is not None

    # for tests

    def state(self) -> Mapping[str, Any]:
        """Everything there is."""
        with self._file() as acme:
            return acme

    def trouble(self, request: str, code: str, *, lost: bool = False) -> None:
        """Lets the next such request fail, or with `lost` only its answer."""
        with self._file() as acme:
            acme["troubles"].append({"request": request, "code": code, "lost": lost})

    def skip(self, seconds: float) -> None:
        """Lets time pass."""
        with self._file() as acme:
            acme["skipped_s"] += seconds

    @contextmanager
    def _request(self, request: str) -> Iterator[dict[str, Any]]:
        with self._file() as acme:
            acme["requests"] += 1
            trouble = next((one for one in acme["troubles"] if one["request"] == request), None)
            if trouble is not None:
                acme["troubles"].remove(trouble)
            if trouble is None or trouble["lost"]:
                yield acme
        if trouble is not None:
            raise CloudError(trouble["code"], f"{request} was made to fail")

    @contextmanager
    def _file(self) -> Iterator[dict[str, Any]]:
        """What is in the file, for this caller alone; what is changed in it is kept, also if the caller fails."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "acme.json").open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            acme = json.loads(file.read() or json.dumps(_EMPTY))
            try:
                yield acme
            finally:
                file.truncate(0)
                file.write(json.dumps(acme))


def _now(acme: Mapping[str, Any]) -> float:
    return time.time() + float(acme["skipped_s"])


def _shown(thing: Mapping[str, Any], acme: Mapping[str, Any]) -> dict[str, Any]:
    built = thing["what"] != "machine" or _now(acme) - thing["since"] >= BUILD_S
    body = {name: value for name, value in thing["body"].items() if name != "user_data"}
    return {**thing, "body": body, "state": "running" if built else "building"}
