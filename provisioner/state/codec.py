"""Values as JSON and back.

Plain leaves are themselves. The others are one-key mappings whose key begins with `$`; a user's mapping
whose key happens to begin so is kept apart by doubling the sign.

    {"$secret": "…"}                 sealed text, see `sealed.py`
    {"$ref": ["kind/name", "out"]}   a reference, in plans only
    {"$call": ["fn", args…]}         a call, in plans only
    {"$unknown": "why"}              in plans only
    {"$from": [value, "file", 3]}    a leaf and where it was written, in plans only
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from provisioner.errors import StateError
from provisioner.model.address import Address
from provisioner.model.value import Call, Origin, Ref, Sealed, Secret, Sourced, Unknown, Value

_PLAIN = frozenset({str, int, bool, float, type(None)})


class Seal(Protocol):
    """Closes and opens secret leaves; `bound` is what a sealed text belongs to and opens nowhere else."""

    def close(self, plain: str, bound: str) -> str: ...

    def open(self, sealed: str, bound: str) -> str | None:
        """The plain text; None where secrets are to stay shut."""
        ...


def encode(value: Value, seal: Seal, bound: str, earlier: Sequence[Any] = ()) -> Any:
    """A tree that `json.dumps` takes, secrets sealed.

    `earlier` are trees that were encoded before for the same place: a secret that one of them has at the same path
    keeps its sealed text, so that what did not change does not change its bytes.
    """
    if value.__class__ in _PLAIN:
        return value
    match value:
        case Mapping():
            names = {f"${key}" if key.startswith("$") else key: item for key, item in value.items()}
            return {name: encode(item, seal, bound, _below(earlier, name)) for name, item in names.items()}
        case tuple():
            return [encode(item, seal, bound, _below(earlier, index)) for index, item in enumerate(value)]
        case Secret():
            return {"$secret": _sealed(json.dumps(value.reveal()), seal, bound, earlier)}
        case Ref():
            return {"$ref": [str(value.to), value.output]}
        case Call():
            return {"$call": [value.fn, *(encode(arg, seal, bound) for arg in value.args)]}
        case Unknown():
            return {"$unknown": value.why}
        case Sourced():
            return {"$from": [encode(value.value, seal, bound), value.origin.file, value.origin.line]}
        case _:
            return value


def _below(trees: Sequence[Any], part: str | int) -> Sequence[Any]:
    """What some trees have under a key or index."""
    found = []
    for tree in trees:
        with contextlib.suppress(KeyError, IndexError, TypeError):
            found.append(tree[part])
    return found


def _sealed(plain: str, seal: Seal, bound: str, earlier: Sequence[Any]) -> str:
    for tree in earlier:
        match tree:
            case {"$secret": str() as sealed}:
                with contextlib.suppress(StateError):  # altered: then it is time that it is written anew
                    if seal.open(sealed, bound) == plain:
                        return sealed
    return seal.close(plain, bound)


def resealed(raw: Any, old: Seal, new: Seal, bound: str) -> Any:
    """An encoded tree, its secrets opened by one seal and closed by another."""
    if isinstance(raw, list):
        return [resealed(item, old, new, bound) for item in raw]
    match raw:
        case {"$secret": str() as sealed}:
            plain = old.open(sealed, bound)
            assert plain is not None, "who changes the seal has opened the old one"
            return {"$secret": new.close(plain, bound)}
        case dict():
            return {key: resealed(item, old, new, bound) for key, item in raw.items()}
        case _:
            return raw


def decode(raw: Any, seal: Seal, bound: str) -> Value:
    """The value that `encode` made; raises StateError for what it never makes."""
    if raw.__class__ in _PLAIN:
        return raw  # type: ignore[no-any-return]
    if isinstance(raw, list):
        return tuple([decode(item, seal, bound) for item in raw])
    if len(raw) == 1:
        ((key, item),) = raw.items()
        if key.startswith("$") and not key.startswith("$$"):
            return _special(key, item, seal, bound)
    return {key[1:] if key.startswith("$$") else key: decode(item, seal, bound) for key, item in raw.items()}


def _special(key: str, item: Any, seal: Seal, bound: str) -> Value:
    match key, item:
        case "$secret", str():
            plain = seal.open(item, bound)
            return Sealed() if plain is None else Secret(json.loads(plain))
        case "$ref", [str() as to, str() as output]:
            with contextlib.suppress(ValueError):
                return Ref(Address.parse(to), output)
        case "$call", [str() as fn, *args]:
            return Call(fn, tuple(decode(arg, seal, bound) for arg in args))
        case "$unknown", str():
            return Unknown(item)
        case "$from", [inner, str() as file, int() as line]:
            value = decode(inner, seal, bound)
            if not isinstance(value, Ref | Call | Unknown | Sourced | tuple | Mapping):
                return Sourced(value, Origin(file, line))
    raise StateError("the state or plan holds a value of an unknown form", detail=f"found {key}")


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def dumps(raw: Any) -> str:
    """JSON in one stable form: sorted keys, no spaces."""
    return _ENCODER.encode(raw)


def is_plain(text: str) -> bool:
    """Whether JSON certainly has neither marks nor lists, so that `decode` would change nothing about it."""
    return "$" not in text and "[" not in text
