"""YAML as the Image Factory writes it back, byte for byte, for what can be told for sure.

Indented to multiples of four, list items below their key. A text stands plain where every reader takes it for a
text, in single quotes where a sign in it means something to YAML, and as a literal block where it has several
lines. Words and numbers that are meant as texts are refused: releases of the factory have quoted them differently,
and the bytes decide about the id.

Source: siderolabs/image-factory v0.7 to v1.5, which use gopkg.in/yaml.v3 and go.yaml.in/yaml/v4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

Tree: TypeAlias = "str | int | bool | Sequence[Tree] | Mapping[str, Tree]"

_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "~", "<<"})
_NUMBER = re.compile(r"[-+]?[_.]*[0-9][0-9A-Za-z_.:+ -]*|[-+]?\.(inf|nan)", re.IGNORECASE)
"""All that some reader takes for a number, a time or a date, with much that none does."""
_FORBIDDEN_FIRST = "#,[]{}&*!|>'\"%@`"
_LINE = re.compile(r"[ -~]+")
_BLOCK = re.compile(r"[!-~]([ -~]*[!-~])?(\n+([ -~]*[!-~]))*\n?")
"""Lines of printable ASCII, the first of them not indented, none with a space at its end."""


class NotPlain(ValueError):
    """Something that the factory alone can write; `args[0]` is it."""


def canonical(tree: Mapping[str, Tree]) -> str:
    """The YAML text of a mapping; keys keep their order. Raises NotPlain."""
    return "".join(f"{line}\n" for line in _mapping(tree, 0))


def _mapping(mapping: Mapping[str, Tree], column: int) -> Iterator[str]:
    for key, value in mapping.items():
        yield from _entry(f"{' ' * column}{_scalar(key)}:", value, 4 * (column // 4 + 1))


def _entry(head: str, value: Tree, column: int) -> Iterator[str]:
    """`head` with its value behind it, or below it from `column` on."""
    match value:
        case str() if "\n" in value:
            yield from _literal(head, value, column)
        case str() | int():
            yield f"{head} {_scalar(value)}"
        case Mapping() if value:
            yield head
            yield from _mapping(value, column)
        case Mapping():
            yield f"{head} {{}}"
        case list() | tuple() if value:
            yield head
            yield from _items(value, column)
        case _:
            raise NotPlain(value)


def _items(items: Sequence[Tree], column: int) -> Iterator[str]:
    margin = " " * column
    for item in items:
        if isinstance(item, Mapping) and item:
            # The first line of the mapping shares its line with the dash.
            first, *rest = _mapping(item, column + 2)
            yield f"{margin}- {first.lstrip(' ')}"
            yield from rest
        elif isinstance(item, str | int):
            yield from _entry(f"{margin}-", item, column + 2)
        else:
            raise NotPlain(item)


def _literal(head: str, text: str, column: int) -> Iterator[str]:
    if not _BLOCK.fullmatch(text):
        raise NotPlain(text)
    yield f"{head} |" if text.endswith("\n") else f"{head} |-"
    for line in text.removesuffix("\n").split("\n"):
        yield f"{' ' * column}{line}" if line else ""


def _scalar(value: str | int) -> str:
    if not isinstance(value, str):
        return str(value).lower()
    if not _LINE.fullmatch(value) or value.lower() in _WORDS or _NUMBER.fullmatch(value):
        raise NotPlain(value)
    return value if _is_plain(value) else "'" + value.replace("'", "''") + "'"


def _is_plain(text: str) -> bool:
    if text.strip(" ") != text or text.startswith(("---", "...")):
        return False
    if text[0] in _FORBIDDEN_FIRST or (text[0] in "?:-" and text[1:2] in ("", " ")):
        return False
    return not (": " in text or text.endswith(":") or " #" in text)
