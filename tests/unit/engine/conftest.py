"""A bench for every test of the engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
