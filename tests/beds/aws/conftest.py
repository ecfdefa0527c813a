"""A bed per test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from beds.aws.bed import Bed
from beds.aws.ground import Ground


@pytest.fixture
def bed() -> Iterator[Bed]:
    """A fresh bed, in which states last for one look."""
    with Bed() as bed:
        yield bed


@pytest.fixture
def ground(bed: Bed) -> Ground:
    """A network with one subnet, an image and a security group."""
    return Ground.prepare(bed)


@pytest.fixture
def ec2(bed: Bed) -> Any:
    return bed.client("ec2")


@pytest.fixture
def elbv2(bed: Bed) -> Any:
    return bed.client("elbv2")
