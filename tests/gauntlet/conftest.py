"""A fresh trial for each attempt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

import pytest
from fakes.trial import Trial


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[[], Trial]:
    """Makes trials, each with a folder of its own."""
    return lambda: Trial(Path(mkdtemp(dir=tmp_path)))
