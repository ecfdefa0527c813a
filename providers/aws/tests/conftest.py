"""AWS for the tests: one bed for all, renewed for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from beds.aws.bed import Bed


@pytest.fixture(scope="session")
def only_bed() -> Iterator[Bed]:
    """The one bed, at one place: so clients can be used again, for making them takes longer than most tests."""
    with Bed() as bed:
        yield bed


@pytest.fixture
def bed(only_bed: Bed, monkeypatch: pytest.MonkeyPatch) -> Bed:
    """An empty bed, in which states last for one look, and an environment that leads to it."""
    only_bed.renew()
    for name, value in only_bed.environ.items():
        monkeypatch.setenv(name, value)
    return only_bed
