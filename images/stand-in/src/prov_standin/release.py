"""What this image is: the values the build put beside the code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Release:
    """`version` is the Talos version it stands in for; `flaw` names what it does wrong on purpose, if anything."""

    system: str
    version: str
    schematic: str
    platform: str
    flaw: str


def release(path: Path = Path("/release.json")) -> Release:
    """The running image's; raises OSError."""
    return Release(**json.loads(path.read_text()))
