"""Which properties of a Redfish service a driver reads and writes, noted on its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define, field
from prov_metal.bmc.line import Line, Reply

Used = dict[str, set[str]]
_KIND = re.compile(r"#(\w+)\.")


class Watched(Mapping[str, Any]):
    """An object of a kind of resource; what is asked of it by name is noted, with the names above."""

    def __init__(self, data: Mapping[str, Any], notes: set[str], above: str = "") -> None:
        self._data, self._notes, self._above = data, notes, above

    def __getitem__(self, name: str) -> Any:
        self._note(name)
        return self._seen(name, self._data[name])

    def get(self, name: str, default: Any = None) -> Any:
        """Noted also where there is no such property."""
        self._note(name)
        return self._seen(name, self._data[name]) if name in self._data else default

    def __contains__(self, name: object) -> bool:
        self._note(str(name))
        return name in self._data

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def _note(self, name: str) -> None:
        if "@" not in name and not name.startswith("#"):
            self._notes.add(self._above + name)

    def _seen(self, name: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return Watched(value, self._notes, f"{self._above}{name}.")
        if isinstance(value, list):
            return [self._seen(name, item) for item in value]
        return value


@define
class WatchedLine:
    """In the place of a line: what it reads is watched, and what is written noted by the kind of its resource.

    `reads` has properties, a dot between those within each other; `writes` the properties of bodies, `acts` the
    parameters of actions.
    """

    line: Line
    reads: Used = field(factory=dict)
    writes: Used = field(factory=dict)
    acts: Used = field(factory=dict)
    _kinds: dict[str, str] = field(factory=dict)

    @property
    def access(self) -> Any:
        return self.line.access

    def request(self, method: str, path: str, body: Any, headers: Mapping[str, str], *more: float) -> Reply:
        """As of a line."""
        place, _, action = path.partition("/Actions/")
        if action:
            self.acts.setdefault(action, set()).update(body or ())
        elif method == "PATCH":
            self.writes.setdefault(self._kinds[place], set()).update(_names(body))
        reply = self.line.request(method, path, body, headers, *more)
        found = _KIND.match(str(reply.body.get("@odata.type") or ""))
        if not found or method != "GET":
            return reply
        self._kinds[place] = found[1]
        notes = self.reads.setdefault(found[1], set())
        return Reply(reply.status, Watched(reply.body, notes), reply.etag, reply.headers)


def _names(body: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for name, value in body.items():
        if isinstance(value, Mapping):
            yield from _names(value, f"{above}{name}.")
        else:
            yield above + name
