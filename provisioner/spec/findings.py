"""Problems as they are found, so that one run reports them all."""

from __future__ import annotations

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
