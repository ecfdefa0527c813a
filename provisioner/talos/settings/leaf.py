"""Texts made of leaves that may not be known yet, or be secret."""

from __future__ import annotations

import base64
from collections.abc import Callable

from provisioner.sdk import Call, Secret, Sourced, Value

BASE64 = "talos.base64"
"""The function that `base64_of` leaves for apply, see `encode_base64`."""


def encode_base64(text: str) -> str:
    """Standard base64 of a text as UTF-8."""
    return base64.b64encode(text.encode()).decode()


def base64_of(value: Value) -> Value:
    """A text in base64, as the root document has certificates and keys."""
    return _known_or(value, encode_base64, Call(BASE64, (value,)))


def joined(before: str, value: Value, after: str = "") -> Value:
    """A text around a value; the origin is the value's."""
    return _known_or(value, lambda text: f"{before}{text}{after}", Call("concat", (before, value, after)))


def quoted(value: Value) -> Value:
    """A text as a literal of CEL."""
    return _known_or(value, _literal, Call("concat", ('"', value, '"')))


def together(*parts: Value) -> Value:
    """All parts in a row; one that is not known, or has an origin or a secret, makes it a call or takes them over."""
    if all(isinstance(part, str) for part in parts):
        return "".join(str(part) for part in parts)
    marked = [part for part in parts if not isinstance(part, str)]
    if len(marked) == 1 and isinstance(marked[0], Sourced | Secret):
        at = parts.index(marked[0])
        before, after = "".join(map(str, parts[:at])), "".join(map(str, parts[at + 1 :]))
        return joined(before, marked[0], after)
    sources = [part for part in marked if isinstance(part, Sourced)]
    if len(sources) == len(marked) and all(isinstance(part.value, str) for part in sources):
        text = "".join(str(part.value if isinstance(part, Sourced) else part) for part in parts)
        return Sourced(text, sources[0].origin)
    return Call("concat", tuple(part.value if isinstance(part, Sourced) else part for part in parts))


def _known_or(value: Value, change: Callable[[str], str], later: Value) -> Value:
    """The changed value with its marks, `later` where it is not known yet."""
    match value:
        case Sourced(value=Secret() as secret, origin=origin):
            return Sourced(Secret(change(_spelled(secret.reveal()))), origin)
        case Sourced(value=inner, origin=origin):
            return Sourced(change(_spelled(inner)), origin)
        case Secret():
            return Secret(change(_spelled(value.reveal())))
        case str() | int() | float():
            return change(_spelled(value))
        case _:
            return later


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
