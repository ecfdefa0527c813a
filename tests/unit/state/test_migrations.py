"""States of older formats: read without touching them, migrated whole or not at all, and nothing lost on the way."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from provisioner.errors import StateError
from provisioner.model.address import Address
from provisioner.model.state import FORMAT, LockInfo, Status
from provisioner.model.value import Secret
from provisioner.state.migrations import STEPS
from provisioner.state.sealed import Identity
from provisioner.state.sqlite_store import SqliteStore

CASES = Path(__file__).parents[2] / "cases" / "state"
FORMATS = sorted(path for path in CASES.iterdir() if path.is_dir())
INFO = LockInfo("ada", "desk", 4711, "2026-11-23T12:00:00+00:00", "apply")


def _given(case: Path, folder: Path) -> SqliteStore:
    """The state of a case as a file."""
    path = folder / "demo.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript((case / "given.sql").read_text())
    return SqliteStore(path, "demo", lambda: Identity((case / "identity.txt").read_text(), "the case"))


def _format(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def test_there_is_a_case_and_a_step_for_every_format() -> None:
    """Up to the one of today, which the next one will be migrated from."""
    assert [f"format-{number}" for number in range(1, FORMAT + 1)] == [path.name for path in FORMATS]
    assert len(STEPS) == FORMAT - 1


@pytest.mark.parametrize("case", FORMATS, ids=lambda case: case.name)
def test_case_of_an_older_format_is_migrated_by_the_first_lock(case: Path, tmp_path: Path) -> None:
    """What was on record is on record afterwards, sealed leaves byte for byte."""
    store = _given(case, tmp_path)
    before = store.load()
    with store.lock(INFO):
        pass
    found = json.dumps(store.pull(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if os.environ.get("PROV_GOLDEN") == "write":
        (case / "expected.json").write_text(found)

    assert (case / "expected.json").read_text() == found
    assert before == store.load()
    assert _format(store.path) == FORMAT
    store.close()


@pytest.mark.parametrize("case", FORMATS, ids=lambda case: case.name)
def test_reading_an_older_format_leaves_the_file_as_it_is(case: Path, tmp_path: Path) -> None:
    """Looking is no reason to migrate: who looks may have no right to write, or use two versions of prov."""
    store = _given(case, tmp_path)
    before = store.path.read_bytes()
    state, shut, runs = store.load(), store.load(shut=True), store.runs()
    store.pull()
    store.close()

    assert before == store.path.read_bytes()
    assert state.outputs["password"] == Secret("hunter2")
    assert state.entries.keys() == shut.entries.keys()
    assert len(runs) == (1 if case.name != "format-1" else 0)


def test_what_format_1_had_is_read_in_the_terms_of_today(tmp_path: Path) -> None:
    """Entries with everything they had, and nothing of what they had not."""
    state = _given(CASES / "format-1", tmp_path).load()
    a = state.entries[Address("toy.thing", "a")]

    assert (state.serial, len(state.entries), dict(state.deposed)) == (4, 6, {})
    assert (a.generation, a.status, a.id, a.phase, a.serial) == (3, Status.UPDATING, "t-3", "booting", 2)
    assert a.depends_on == (Address("toy.vault", "cluster"),)
    assert a.intended["token"] == Secret("new")
    assert a.applied == {"note": "grüße ✓", "size": 3, "token": Secret("old")}
    assert (a.owed, a.deposed, a.silent) == ((), False, "")


@pytest.mark.parametrize("case", FORMATS, ids=lambda case: case.name)
def test_a_migrated_state_has_the_tables_of_a_new_one(case: Path, tmp_path: Path) -> None:
    """Columns, keys and indices, so that the two never behave differently."""
    migrated = _given(case, tmp_path)
    with migrated.lock(INFO):
        pass
    migrated.close()
    fresh = SqliteStore(tmp_path / "fresh.db", "demo", lambda: Identity((case / "identity.txt").read_text(), "x"))
    fresh.create()
    fresh.close()

    assert _shape(fresh.path) == _shape(migrated.path)


def _shape(path: Path) -> dict[str, object]:
    with closing(sqlite3.connect(path)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
        shape: dict[str, object] = {}
        for table in tables:
            shape[table] = db.execute(f"PRAGMA table_info({table})").fetchall()
            indices = [row[1:] for row in db.execute(f"PRAGMA index_list({table})")]
            shape[f"{table}, indices"] = sorted(
                (row, tuple(db.execute(f"PRAGMA index_info('{row[0]}')").fetchall())) for row in indices
            )
        return shape


def test_a_migration_that_is_killed_leaves_the_old_state(tmp_path: Path) -> None:
    """Just before its commit; the next lock does it again."""
    case = CASES / "format-1"
    store = _given(case, tmp_path)
    script = f"""
        import os, sqlite3
        from provisioner.state import migrations
        def last_moment(db):
            db.set_trace_callback(lambda statement: os.kill(os.getpid(), 9) if statement == "COMMIT" else None)
        migrations.STEPS = (*migrations.STEPS, last_moment)
        from pathlib import Path
        from provisioner.model.state import LockInfo
        from provisioner.state.sqlite_store import SqliteStore
        SqliteStore(Path({str(store.path)!r}), "demo", None).lock(LockInfo("a", "b", 1, "now", "apply")).__enter__()
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)

    assert killed.returncode == -signal.SIGKILL
    assert _format(store.path) == 1
    assert len(store.load().entries) == 6
    with store.lock(INFO):
        assert _format(store.path) == FORMAT
    assert len(store.load().entries) == 6
    store.close()


def test_a_migration_that_finds_no_room_leaves_the_old_state(tmp_path: Path) -> None:
    """It is told as an error to act on, and done again once there is room."""
    store = _given(CASES / "format-1", tmp_path)
    with closing(sqlite3.connect(store.path)) as db:
        db.execute("UPDATE entries SET body = json_set(body, '$.error', ?)", ("x" * 20_000,))
        db.commit()
    before = store.load()
    store.close()
    with _no_file_beyond(store.path.stat().st_size + 8192), pytest.raises(StateError, match="cannot be written"):
        store.lock(INFO).__enter__()
    store.close()

    assert _format(store.path) == 1
    assert before == store.load()
    with store.lock(INFO):
        assert before == store.load()
    store.close()


@contextmanager
def _no_file_beyond(size: int) -> Iterator[None]:
    """As on a full disk: no file grows beyond so many bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_an_entry_of_an_older_format_that_makes_no_sense_is_damage(tmp_path: Path) -> None:
    """Neither read nor written over."""
    store = _given(CASES / "format-1", tmp_path)
    with closing(sqlite3.connect(store.path)) as db:
        db.execute("UPDATE entries SET body = 'no JSON' WHERE address = 'toy.thing/c'")
        db.commit()
    for attempt in (store.load, lambda: store.lock(INFO).__enter__()):
        with pytest.raises(StateError, match="damaged"):
            attempt()
        store.close()

    assert _format(store.path) == 1
