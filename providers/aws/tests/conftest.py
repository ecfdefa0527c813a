"""AWS for the tests: one bed for all, renewed for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from beds.aws.bed import Bed
from fakes.aws_permissions import given, permission
from fakes.aws_remote import is_ours


@pytest.fixture(scope="session")
def only_bed() -> Iterator[Bed]:
    """The one bed, at one place: so clients can be used again, for making them takes longer than most tests."""
    with Bed() as bed:
        yield bed


@pytest.fixture
def bed(only_bed: Bed, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bed]:
    """An empty bed, in which states last for one look, and an environment that leads to it.

    Whatever a test makes the provider call has to be allowed by the policy that we hand out.
    """
    only_bed.renew()
    for name, value in only_bed.environ.items():
        monkeypatch.setenv(name, value)
    yield only_bed
    calls = {permission(record.call.service, record.call.action) for record in only_bed.records if is_ours(record)}
    assert calls - given() == set()
