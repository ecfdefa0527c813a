"""What the tests with real machines behind BMCs share: the ground they stand on, images, and projects."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from beds.metal.ground import GATEWAY, Ground
from fakes.yard import Peer, Yard, built, serving


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """libvirt and BMCs; only in the namespaces that the script makes."""
    tools = os.environ.get("PROV_METAL_BED")
    assert tools, "these tests need namespaces of their own: run scripts/metal-test.sh"
    with Ground(tmp_path_factory.mktemp("ground"), Path(tools)) as made:
        yield made


@pytest.fixture(scope="session")
def peer(ground: Ground) -> Iterator[Peer]:
    """An Image Factory and a registry, which machines can reach as well."""
    with serving(built(), GATEWAY, GATEWAY) as made:
        yield made


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Callable[..., Yard]]:
    """Makes projects, each in a folder of its own; what they leave is removed."""
    made: list[Yard] = []

    def make(name: str = "project", **more: Any) -> Yard:
        made.append(Yard(tmp_path / name, **more))
        made[-1].prov("keys", "create")
        return made[-1]

    yield make
    for each in made:
        each.close()
