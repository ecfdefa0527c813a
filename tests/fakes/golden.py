"""Expected texts in files: `PROV_GOLDEN=write` rewrites them; read the diff."""

from __future__ import annotations

import os
from pathlib import Path

_ROOT = Path(__file__).parents[1] / "golden"


def check(name: str, found: str) -> None:
    """The text is the one in `tests/golden/NAME`."""
    path = _ROOT / name
    if os.environ.get("PROV_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found)
    assert path.read_text() == found
