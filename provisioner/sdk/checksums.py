"""Which bytes a download had the first time, so that nobody can exchange them later.

The file has the form of `sha256sum`, so `sha256sum --check` reads it: digest, two spaces, path below its folder.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

NAME = "checksums.sha256"
_PIECE = 1 << 20


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, 64 hexadecimal digits."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
    return found.hexdigest()


def pinned(folder: Path) -> dict[str, str]:
    """Digests by path below the folder; lines that say something else are passed over."""
    try:
        lines = (folder / NAME).read_text().splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.partition("  ") for line in lines)
    return {path: digest for digest, _, path in pairs if len(digest) == 64 and path}


def pin(folder: Path, path: str, digest: str) -> None:
    """Writes down the digest of a file; an empty digest takes it out."""
    pins = pinned(folder)
    pins.pop(path, None)
    if digest:
        pins[path] = digest
    draft = folder / f".{NAME}.{os.getpid()}"
    draft.write_text("".join(f"{found}  {known}\n" for known, found in sorted(pins.items())))
    draft.replace(folder / NAME)
