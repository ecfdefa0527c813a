"""Paths inside a configuration document.

A path is the keys from the document's root to a place in it, list positions as numbers. A pattern is a path
in which `*` stands for any one key or position.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from provisioner.sdk import Path

Pattern: TypeAlias = tuple[str, ...]


def matches(pattern: Pattern, path: Path) -> bool:
    """Whether the pattern describes exactly this path."""
    return len(pattern) == len(path) and covers(pattern, path)


def covers(pattern: Pattern, path: Path) -> bool:
    """Whether the pattern describes this path or something above it."""
    return len(pattern) <= len(path) and all(part in ("*", key) for part, key in zip(pattern, path, strict=False))


def any_covers(among: Iterable[Pattern], path: Sequence[str | int]) -> bool:
    """Whether one of the patterns describes this path or something above it."""
    return any(covers(pattern, tuple(path)) for pattern in among)


def patterns(*dotted: str) -> tuple[Pattern, ...]:
    """Patterns written as `machine.kubelet.extraArgs.*`."""
    return tuple(tuple(text.split(".")) for text in dotted)


def any_matches(among: Iterable[Pattern], path: Path) -> bool:
    """Whether one of the patterns describes exactly this path."""
    return any(matches(pattern, path) for pattern in among)


def dotted(path: Path) -> str:
    """The path for people: `machine.network.interfaces[0].mtu`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
