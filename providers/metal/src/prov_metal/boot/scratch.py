"""Private folders that are removed with their process, or by the next one that needs such a folder.

A process that is killed removes nothing. Each folder has a file in it that its process holds a lock on, which ends
with the process however that ends; so whoever gets the lock may take the folder away.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

_LOCK = "lock"
_HELD: list[int] = []
"""Open as long as this process lives."""


def scratch(prefix: str, base: Path | None = None) -> Path:
    """A fresh folder in `base`, else where temporary files are; only this user can read it. Raises OSError.

    Folders of the same prefix whose processes are gone are removed.
    """
    base = base or Path(tempfile.gettempdir())
    for folder in base.glob(f"{prefix}*"):
        _remove_if_left(folder)
    made = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
    draft = made / f"{_LOCK}.new"
    held = os.open(draft, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX)
    draft.rename(made / _LOCK)  # nobody sees it before it is held
    _HELD.append(held)
    return made


def _remove_if_left(folder: Path) -> None:
    """Removes a folder of this user that no process holds; without a lock in it nobody knows."""
    with suppress(OSError):
        if folder.lstat().st_uid != os.geteuid():
            return
        found = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(found)
