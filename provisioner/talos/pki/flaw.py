"""Something wrong with secrets that come from elsewhere, and where it stands."""

from __future__ import annotations

from typing import TypeAlias

from provisioner.talos.pki.bundle import BundleError

Path: TypeAlias = tuple[str | int, ...]
"""Leads to a value in a file, beginning with the number of the document; empty for the file as a whole."""


class Flaw(BundleError):
    """Something wrong in what was read. `path` leads to it, beginning with the number of the document."""

    def __init__(self, path: Path, what: str, remedy: str) -> None:
        called = ".".join(map(str, path[1:]))
        super().__init__(
            "these secrets cannot be taken over",
            detail=f"{called}: {what}" if called else what,
            remedy=remedy,
        )
        self.path = path
