"""Where the files of a cluster are."""

from __future__ import annotations

import os
from pathlib import Path

from attrs import frozen


@frozen
class Folder:
    """The folder of the cluster file. Names inside the file are relative to it, places to where the user stands."""

    base: Path
    standing: Path

    def read(self, name: str) -> bytes:
        """The bytes of a regular file; raises OSError or ValueError when there is none of that name."""
        path = self.base / name
        if path.exists() and not path.is_file():
            raise OSError("it is not a regular file")
        return path.read_bytes()

    def shown(self, name: str) -> str:
        """How messages call a file: relative to where the user stands, if it is below."""
        path = Path(os.path.normpath(self.base / name))
        return str(path.relative_to(self.standing)) if path.is_relative_to(self.standing) else str(path)
