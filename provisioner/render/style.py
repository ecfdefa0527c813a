"""Colour, where it is wanted: a terminal without NO_COLOR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

from attrs import frozen

_CODES = {"green": "32", "yellow": "33", "red": "31", "magenta": "35", "cyan": "36", "bold": "1"}


@frozen
class Style:
    """Paints text, or leaves it as it is."""

    colour: bool = False

    @classmethod
    def of(cls, out: TextIO, environ: Mapping[str, str]) -> Style:
        """What fits an output stream."""
        return cls(out.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb")

    def paint(self, text: str, colour: str) -> str:
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self.colour and colour else text

    def bold(self, text: str) -> str:
        return self.paint(text, "bold")
