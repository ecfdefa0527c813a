"""Configuration documents as YAML text.

The writer is our own because its output must never move: the same documents give the same bytes with every
version of every library, so that digests of configurations are worth keeping. A text is written plain only
when YAML 1.1 readers and YAML 1.2 readers both take it for a text.

The reader follows the scalar rules of Talos's YAML library, which are those of YAML 1.2 in the main: a bare
`off` or `yes` is a text, a bare `1e3` a number, a date a text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from provisioner.sdk import ProvError, Value, freeze

try:
    from yaml import CSafeLoader as _Base  # ten times as fast; the same result
except ImportError:  # pragma: no cover  (PyYAML built without libyaml)
    from yaml import SafeLoader as _Base  # type: ignore[assignment]

_PLAIN = re.compile(r"[A-Za-z0-9_/]([A-Za-z0-9_./+=@,:~%()$^<>;?!*'&| -]*[A-Za-z0-9_./+=@,~%()$^<>;?!*'&|-])?")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_NUMBER = re.compile(r"[0-9][0-9a-fA-FxXoO_.:+\-tTzZ ]*")
"""All that some reader takes for a number, a time or a date; a few harmless texts are quoted with them."""
_BLOCK = re.compile(r"[!-~]([ -~]*[!-~])?(\n+( *[!-~]([ -~]*[!-~])?))*\n?")
"""Lines of printable ASCII without surplus spaces, which a literal block reproduces as they are."""
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


class ConfigUnreadable(ProvError):
    """A text that is not a stream of configuration documents."""

    code = "config-unreadable"


def encode(documents: Sequence[Mapping[str, Any]]) -> str:
    """The documents, plain Python with secrets revealed, as one YAML stream.

    Keys keep their order, documents are parted by `---`, nothing is aliased. Raises TypeError for anything
    that is no mapping, list or scalar.
    """
    return "---\n".join("".join(f"{line}\n" for line in _document(each)) for each in documents)


def decode(text: str) -> tuple[Mapping[str, Value], ...]:
    """The documents of a stream, empty ones left out.

    Raises ConfigUnreadable with line and column; nothing of the text enters the error.
    """
    try:
        raw = [item for item in yaml.load_all(text, Loader=_Loader) if item is not None]
    except yaml.MarkedYAMLError as err:
        mark = err.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "the text"
        raise _unreadable(f"no valid YAML at {where}") from None
    except (yaml.YAMLError, ValueError):
        raise _unreadable("no valid YAML") from None
    if not all(isinstance(item, dict) for item in raw):
        raise _unreadable("a document is not a mapping")
    try:
        return tuple({str(key): freeze(value) for key, value in item.items()} for item in raw)
    except TypeError as err:
        raise _unreadable(str(err)) from None


def _unreadable(detail: str) -> ConfigUnreadable:
    return ConfigUnreadable(
        "a machine configuration cannot be read",
        detail=detail,
        remedy="check that the text is YAML with one mapping per document",
    )


def _document(document: Mapping[str, Any]) -> Iterator[str]:
    if document:
        yield from _block(document, 0)
    else:
        yield "{}"


def _block(value: Any, level: int) -> Iterator[str]:
    """The lines of a non-empty mapping or list, indented for `level`."""
    margin = "  " * level
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _entry(f"{margin}{_scalar(key)}:", item, level + 1)
        return
    for item in value:
        if _is_branch(item):
            # The first line of the branch shares its line with the dash, which takes its indentation.
            first, *rest = _block(item, level + 1)
            yield f"{margin}- {first.removeprefix(margin + '  ')}"
            yield from rest
        else:
            yield from _entry(f"{margin}-", item, level + 1)


def _entry(head: str, value: Any, level: int) -> Iterator[str]:
    """`head` with its value behind or below it."""
    margin = "  " * level
    if _is_branch(value):
        yield head
        yield from _block(value, level)
    elif isinstance(value, str) and "\n" in value and _BLOCK.fullmatch(value):
        yield f"{head} |" if value.endswith("\n") else f"{head} |-"
        for line in value.removesuffix("\n").split("\n"):
            yield f"{margin}{line}" if line else ""
    else:
        yield f"{head} {_scalar(value)}"


def _is_branch(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple) and len(value) > 0


def _scalar(value: Any) -> str:
    """A value on one line; mappings and lists are empty here."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _float(value)
        case str():
            return value if _is_plain(value) else _quoted(value)
        case Mapping():
            return "{}"
        case list() | tuple():
            return "[]"
        case _:
            raise TypeError(f"a {type(value).__name__} cannot be written as YAML")


def _float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    # YAML 1.1 wants a point before the exponent: 1e+16 would be a text there.
    return text.replace("e", ".0e", 1) if "e" in text and "." not in text else text


def _is_plain(text: str) -> bool:
    if _PLAIN.fullmatch(text) is None or ": " in text:
        return False
    if text.lower() in _WORDS:
        return False
    # Two points make an address or a release, never a number.
    return text.count(".") > 1 or _NUMBER.fullmatch(text) is None


def _quoted(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(char) or _escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    code = ord(char)
    if 0x20 <= code < 0x7F:
        return char
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class _Loader(_Base):
    """The safe loader with the scalar rules of Talos."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _tag, _form, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"^[-+]?(?:0|[1-9][0-9_]*|0o?[0-7_]+|0x[0-9a-fA-F_]+|0b[01_]+)$", "-+0123456789"),
    (
        "float",
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        "-+.0123456789",
    ),
    ("merge", r"^<<$", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_form), list(_first))
