"""Problems as they are found, so that one run reports them all."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from provisioner.errors import InputError, Place, Problem


class Findings:
    """Collects problems while a file is read; reading goes on after each of them."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, code: str, summary: str, place: Place, *, detail: str = "", remedy: str = "") -> None:
        """Notes one problem; the same one at the same place is noted once."""
        problem = Problem(code, summary, detail, place, remedy)
        if problem not in self._found:
            self._found.append(problem)

    def __bool__(self) -> bool:
        return bool(self._found)

    def settle(self) -> None:
        """Raises InputError with everything found, in file order; returns when nothing was."""
        if self._found:
            raise InputError(
                sorted(self._found, key=lambda item: (item.place.file, item.place.line, item.place.column))
            )


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A remedy for a mistaken name: the nearest known one, else some of those there are; empty without any."""
    options = sorted(known)
    near = difflib.get_close_matches(word, options, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    if not options:
        return ""
    more = f" and {len(options) - 8} more" if len(options) > 12 else ""
    return f"known here: {', '.join(options[:8] if more else options)}{more}"
