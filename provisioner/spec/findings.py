"""Problems as they are found, so that one run reports them all."""

from __future__ import annotations

from collections.abc import Collection

from provisioner.errors import InputError, Place, Problem, did_you_mean

_MANY = 1000
_SEARCHES = 20


class Findings:
    """Collects problems while a file is read; reading goes on after each of them."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}
        self._searches = 0

    def add(self, code: str, summary: str, place: Place, *, detail: str = "", remedy: str = "") -> None:
        """Notes one problem; the same one at the same place is noted once."""
        self._found[Problem(code, summary, detail, place, remedy)] = None

    def near(self, word: str, known: Collection[str]) -> str:
        """A remedy for a mistaken name; empty where there is none.

        Among many names it is looked for a few times only: where thousands are wrong, the others would take minutes.
        """
        if len(known) > _MANY:
            self._searches += 1
            if self._searches > _SEARCHES:
                return ""
        return did_you_mean(word, known)

    def __len__(self) -> int:
        return len(self._found)

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything found, in file order."""
        return tuple(sorted(self._found, key=lambda item: (item.place.file, item.place.line, item.place.column)))

    def settle(self) -> None:
        """Raises InputError with everything found; returns when nothing was."""
        if self._found:
            raise InputError(self.problems)
