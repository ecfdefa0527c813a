"""Laboratories for tests that run the real command: a fresh one each."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.lab import Lab
from hypothesis import HealthCheck, settings

from provisioner.state.identity import create_identity


def pytest_configure() -> None:
    """Makes tests independent of who runs them, and of how much else the machine has to do."""
    # A shell lets programs in its background ignore Ctrl-C, and so would all that tests start and interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # A busy machine is no fault: an example may take as long as it takes.
    settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("patient")


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
    lab.control.stop()
