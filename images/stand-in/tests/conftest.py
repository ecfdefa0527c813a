"""Images built once, and a bed for the machines of each test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.stand_in import Bed, serving
from fakes.talos_client import Secrets

SCRIPT = Path(__file__).parent.parent / "build.py"
VERSIONS = ("--version", "v1.13.9", "--version", "v1.13.10")
FLAWED = ("--flawed", "v1.13.98=silent", "--flawed", "v1.13.99=boot")


def _build(out: Path, *more: str) -> str:
    done = subprocess.run([sys.executable, str(SCRIPT), "--out", str(out), *more], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def build() -> Callable[..., str]:
    """Builds images into a folder, with further arguments; gives what the script says."""
    return _build


@pytest.fixture(scope="session")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two good versions and two that fail on purpose; PROV_STAND_IN names a folder that has them already."""
    if given := os.environ.get("PROV_STAND_IN"):
        return Path(given)
    out = tmp_path_factory.mktemp("factory") / "out"
    print(_build(out, *VERSIONS, *FLAWED))
    return out


@pytest.fixture
def bed(factory: Path, tmp_path: Path) -> Iterator[Bed]:
    """A place for machines, which are off when the test is over."""
    made = Bed(factory, tmp_path)
    with serving(made):
        yield made
    made.stop()


@pytest.fixture
def made_secrets() -> Secrets:
    return Secrets()
