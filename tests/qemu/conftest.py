"""What the tests with real virtual machines share: images, a peer that serves them, and projects."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.yard import Peer, Yard, built, serving

ROOM_MIB = 320


@pytest.fixture(scope="session")
def factory() -> Path:
    """The images of two releases."""
    return built()


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


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own with little room; only root can make one."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM_MIB}m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[str]:
    """The name of a bridge, and of the network namespace it is alone in; only root can make one."""
    name = f"pq{tmp_path.name[-6:].replace('_', '')}{os.getpid() % 1000}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    for words in (
        ("link", "set", "lo", "up"),
        ("link", "add", name, "type", "bridge"),
        ("address", "add", "10.77.0.1/24", "dev", name),
        ("link", "set", name, "up"),
    ):
        subprocess.run(["ip", "-n", name, *words], check=True)
    yield name
    subprocess.run(["ip", "netns", "delete", name], check=True)
