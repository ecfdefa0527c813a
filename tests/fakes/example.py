"""Copies of the examples' folders, as the repository has them."""

from __future__ import annotations

import shutil
from pathlib import Path

_LEFT = (".prov",)
"""What a run leaves in a folder, such as that of `make demo`: a copy with it would go on from there."""


def copy_of(example: Path, folder: Path) -> Path:
    """The folder, with the files of an example in it."""
    return Path(shutil.copytree(example, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*_LEFT)))
