"""The stores of the core keep the rules of the house."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.conformance.store_suite import Factory, StoreSuite
from provisioner.sdk import StateStore
from provisioner.state.memory_store import MemoryStore
from provisioner.state.sealed import Identity, new_identity
from provisioner.state.sqlite_store import SqliteStore


class TestSqliteStore(StoreSuite):
    """The store in a file."""

    @pytest.fixture
    def store_factory(self, tmp_path: Path) -> Iterator[Factory]:
        me = Identity(new_identity(), "the test")
        made: list[SqliteStore] = []

        def handle(name: str) -> StateStore:
            made.append(SqliteStore(tmp_path / f"{name}.db", "demo", lambda: me))
            return made[-1]

        yield handle
        for store in made:
            store.close()


class TestMemoryStore(StoreSuite):
    """The store in memory."""

    @pytest.fixture
    def store_factory(self) -> Factory:
        made: dict[str, MemoryStore] = {}
        return lambda name: made.setdefault(name, MemoryStore("demo"))
