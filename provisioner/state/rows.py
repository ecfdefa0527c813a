"""An entry as a row of the table, and back.

address, generation  which object
deposed              1 if a later generation has taken its place
serial               the state's serial when it was written
needs                the addresses it was made after, with spaces between
body                 the rest as JSON; what stands empty is left out
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from provisioner.model.address import Address
from provisioner.model.state import Entry, Status
from provisioner.model.value import has_secret
from provisioner.state.codec import Seal, decode, dumps, encode, is_plain, resealed

Row = tuple[str, int, int, int, str, str]

_STATUSES = {status.value: status for status in Status}
_TEXTS = ("phase", "how", "silent", "error")
_VALUES = ("intended", "applied", "outputs")
_KEPT_FROM = {"intended": ("intended", "applied"), "applied": ("applied", "intended"), "outputs": ("outputs",)}
"""Where a value may have been sealed before: what was intended is applied once a call has finished."""


def row(entry: Entry, serial: int, seal: Seal, earlier: Mapping[str, Any]) -> Row:
    """The row of an entry. `earlier` is the body it had before, whose sealed leaves are kept where they still fit."""
    needs = " ".join(map(str, entry.depends_on))
    text = dumps(_body(entry, seal, earlier))
    return str(entry.address), entry.generation, int(entry.deposed), serial, needs, text


def seals(entry: Entry) -> bool:
    """Whether an entry has anything to seal."""
    return has_secret(entry.intended) or has_secret(entry.applied) or has_secret(entry.outputs)


def _body(entry: Entry, seal: Seal, earlier: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {"provider": entry.provider, "key": entry.key, "status": entry.status.value}
    if entry.id is not None:
        body["id"] = entry.id
    if entry.memo:
        body["memo"] = dict(entry.memo)
    if entry.protect:
        body["protect"] = True
    if entry.owed:
        body["owed"] = list(entry.owed)
    for name in _TEXTS:
        if text := getattr(entry, name):
            body[name] = text
    for name in _VALUES:
        if values := getattr(entry, name):
            before = [earlier[other] for other in _KEPT_FROM[name] if other in earlier]
            body[name] = encode(values, seal, entry.key, before)
    return body


def with_new_seals(text: str, old: Seal, new: Seal) -> str:
    """A body, its secrets opened by one seal and closed by another."""
    body = json.loads(text)
    changed = {name: resealed(body[name], old, new, body["key"]) for name in _VALUES if name in body}
    return dumps({**body, **changed})


def as_data(row: Row) -> dict[str, Any]:
    """A row as plain data, sealed leaves as they lie there."""
    address, generation, deposed, serial, needs, body = row
    head = {"address": address, "generation": generation, "deposed": bool(deposed), "serial": serial}
    return {**head, "depends_on": needs.split(), **json.loads(body)}


def entries(rows: Iterable[Row], seal: Seal) -> Iterator[Entry]:
    """The entries of many rows; each address is made once, however many name it."""
    known: dict[str, Address] = {}

    def address(text: str) -> Address:
        found = known.get(text)
        if found is None:
            found = known[text] = Address.parse(text)
        return found

    for text, generation, deposed, serial, needs, body in rows:
        depends_on = tuple([address(need) for need in needs.split()]) if needs else ()
        yield _entry(address(text), generation, deposed, serial, depends_on, body, seal)


def _entry(
    address: Address,
    generation: int,
    deposed: int,
    serial: int,
    depends_on: tuple[Address, ...],
    text: str,
    seal: Seal,
) -> Entry:
    body = json.loads(text)
    key = body["key"]
    if not is_plain(text):
        body |= {name: decode(body[name], seal, key) for name in _VALUES if name in body}
    get = body.get
    return Entry(
        address=address,
        generation=generation,
        provider=body["provider"],
        key=key,
        status=_STATUSES[body["status"]],
        id=get("id"),
        phase=get("phase", ""),
        memo=get("memo") or {},
        intended=get("intended") or {},
        applied=get("applied") or {},
        outputs=get("outputs") or {},
        depends_on=depends_on,
        protect=get("protect", False),
        how=get("how", ""),
        owed=tuple(get("owed", ())),
        deposed=bool(deposed),
        silent=get("silent", ""),
        error=get("error", ""),
        serial=serial,
    )
