"""the id of an Image Factory schematic, computed without asking the factory.

The factory names a schematic by the SHA-256 of its canonical YAML: four spaces per level, list items
indented below their key, empty fields left out, `customization` always there. That text is reproduced here
for values that need no quoting; anything else is the factory's business.

Source: siderolabs/image-factory v1.5.0, `pkg/schematic`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from provisioner.sdk import ProvError

Customization: TypeAlias = Mapping[str, "Sequence[str] | Customization"]

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./=,@-]*")
"""Texts whose plain YAML form is beyond doubt."""


class SchematicError(ProvError):
    """A schematic whose id cannot be computed here."""

    code = "schematic"


def with_extensions(names: Sequence[str]) -> Customization:
    """The customization that adds system extensions; sorted, for their order is part of the id."""
    if not names:
        return {}
    return {"systemExtensions": {"officialExtensions": sorted(set(names))}}


def schematic_id(customization: Customization) -> str:
    """The id, 64 hexadecimal digits; keys must stand in the factory's order, empty lists left out.

    Raises SchematicError for a text that might need quoting.
    """
    return hashlib.sha256(_canonical(customization).encode()).hexdigest()


def _canonical(customization: Customization) -> str:
    if not customization:
        return "customization: {}\n"
    return "".join(f"{line}\n" for line in ("customization:", *_lines(customization, 1)))


def _lines(mapping: Customization, level: int) -> Iterator[str]:
    margin = " " * (4 * level)
    for key, value in mapping.items():
        yield f"{margin}{key}:"
        if isinstance(value, Mapping):
            yield from _lines(value, level + 1)
        else:
            yield from (f"{margin}    - {_plain(item)}" for item in value)


def _plain(text: str) -> str:
    # Words YAML reads as booleans or null are no extension names; those always contain a slash.
    if _PLAIN.fullmatch(text) is None or text.lower() in {
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "null",
        "y",
        "n",
    }:
        raise SchematicError(
            "the id of this image schematic cannot be computed offline",
            detail=f"{text!r} is not a plain name",
            remedy="name extensions as the factory lists them, such as siderolabs/iscsi-tools",
        )
    return text
