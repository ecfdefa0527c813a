"""Files that only their owner may read."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from provisioner.errors import ProvError


def write_private(path: Path, content: bytes) -> None:
    """Writes a file of mode 0600 in one step: there is the old one or the new one, never half of it."""
    draft = path.parent / f".{path.name}.{os.getpid()}.new"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(path)
    except OSError as err:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise ProvError(
            "a file cannot be written",
            detail=f"{path}: {err.strerror}",
            remedy="name a place where you may write",
        ) from None
