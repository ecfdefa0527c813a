"""Exceptions that nobody meant to raise, as errors for people."""

from __future__ import annotations

import traceback
from typing import Any

from provisioner.errors import ProvError


def fault(err: Any) -> ProvError:
    """A fault of ours or of a provider. Its message is not shown: nobody vouches for what is in it."""
    frames = traceback.extract_tb(err.__traceback__) if isinstance(err, BaseException) else []
    where = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return ProvError(
        "a fault inside prov or a provider",
        detail=f"{type(err).__name__}{where}",
        remedy="run the command again: what was begun is on record; please report this",
    )
