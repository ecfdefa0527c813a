"""AWS for the tests: a bed for each."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest
from beds.aws.bed import Bed


@pytest.fixture(scope="session")
def bed_port() -> int:
    """One port for all beds, so that clients can be used again: making them takes longer than most tests.

    It is none of those that the system gives to clients, which somebody else might get between two beds.
    """
    return next(port for port in range(21000 + os.getpid() % 5000, 32000) if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture
def bed(bed_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bed]:
    """A fresh bed, in which states last for one look, and an environment that leads to it."""
    with Bed(port=bed_port) as bed:
        for name, value in bed.environ.items():
            monkeypatch.setenv(name, value)
        yield bed
