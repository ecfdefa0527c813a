"""What the tests with real virtual machines share: images, a peer that serves them, and projects."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.yard import ROOT, Peer, Yard, serving

SCRIPT = ROOT / "images" / "stand-in" / "build.py"
VERSIONS = ("v1.13.9", "v1.13.10")


@pytest.fixture(scope="session")
def factory() -> Path:
    """The images of two releases, built where they are not there or older than what they are built from."""
    out = ROOT / "build" / "stand-in" / "factory"
    sources = [*(ROOT / "images" / "stand-in").rglob("*.py"), *(ROOT / "providers" / "sim" / "src").rglob("*.py")]
    built = [out / "image" / name for name in (each.name for each in (out / "image").glob("*"))]
    sums = [each / version / "SHA256SUMS" for each in built for version in VERSIONS]
    newest = max(path.stat().st_mtime for path in sources)
    if not sums or not all(path.exists() and path.stat().st_mtime > newest for path in sums):
        words = [word for version in VERSIONS for word in ("--version", version)]
        subprocess.run([sys.executable, str(SCRIPT), "--out", str(out), *words], check=True)
    return out


@pytest.fixture
def peer(factory: Path) -> Iterator[Peer]:
    with serving(factory) as made:
        yield made


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Callable[..., Yard]]:
    """Makes projects, each in a folder of its own; what they leave is removed."""
    made: list[Yard] = []

    def make(name: str = "project", folder: Path | None = None, **more: Any) -> Yard:
        made.append(Yard((folder or tmp_path) / name, **more))
        made[-1].prov("keys", "create")
        return made[-1]

    yield make
    for each in made:
        each.close()
