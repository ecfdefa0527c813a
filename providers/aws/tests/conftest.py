"""AWS for the tests: one moto for the whole session, emptied for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto_process import moto_server, reset


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of moto."""
    with moto_server(tmp_path_factory.mktemp("moto") / "log") as url:
        yield url


@pytest.fixture
def aws_url(moto: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty AWS, and credentials for it."""
    reset(moto)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tester")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tester")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return moto
