"""Laboratories for tests that run the real command: a fresh one each."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.lab import PROV, Lab

from provisioner.state.identity import create_identity


@pytest.fixture(scope="session")
def age_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An identity for the whole session."""
    key = tmp_path_factory.mktemp("age") / "age.key"
    create_identity(key)
    return key


@pytest.fixture
def lab(tmp_path_factory: pytest.TempPathFactory, age_key: Path) -> Iterator[Lab]:
    """A fresh laboratory; its daemon is stopped at the end, whatever happened."""
    lab = Lab(tmp_path_factory.mktemp("lab"), age_key)
    yield lab
    subprocess.run([PROV, "sim", "stop"], cwd=lab.folder, env=lab.environ, capture_output=True, check=False)
    for pid_file in (lab.folder / "sim").glob("*.pid"):
        try:
            os.kill(int(pid_file.read_text()), signal.SIGKILL)
        except (ProcessLookupError, ValueError):
            continue
