"""A state that is damaged, in the wrong hands or out of room is told as such, and never made worse."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from attrs import evolve

from provisioner.errors import StateError
from provisioner.model.address import Address
from provisioner.model.state import Bind, Entry, LockInfo, Note, Put, RunRecord, State, Status
from provisioner.model.value import Secret
from provisioner.state.sealed import Identity, new_identity
from provisioner.state.sqlite_store import SqliteStore

ME = Identity(new_identity(), "the test")
INFO = LockInfo("ada", "desk", 4711, "2026-11-23T12:00:00+00:00", "apply")
COUNT = 200


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A state of some size, with nothing in its log."""
    path = tmp_path / "demo.db"
    store = _store(path)
    with store.lock(INFO) as fence:
        store.commit([Put(_entry(number)) for number in range(COUNT)], fence)
    store.close()
    return path


def _store(path: Path) -> SqliteStore:
    return SqliteStore(path, "demo", lambda: ME)


def _entry(number: int, **fields: object) -> Entry:
    made = Entry(Address("toy.thing", f"n{number:03}"), 1, "toy", f"key-{number}", Status.READY, id=f"id-{number}")
    return evolve(made, outputs={"password": Secret(f"hunter{number}")}, applied={"text": "x" * 300}, **fields)


def _kept(path: Path) -> dict[str, bytes]:
    """The bytes of a state; the index of its log is SQLite's own."""
    return {item.name: item.read_bytes() for item in path.parent.glob("demo.db*") if not item.name.endswith("-shm")}


ATTEMPTS: dict[str, Callable[[SqliteStore], object]] = {
    "load": lambda store: store.load(),
    "look": lambda store: store.load(shut=True),
    "lock": lambda store: store.lock(INFO).__enter__(),
}


def _truncated(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - 4096 * 3])


def _cut_within_a_page(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2 + 100])


def _zeros(share: float) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        content = bytearray(path.read_bytes())
        page = int(len(content) * share) // 4096 * 4096
        content[page : page + 4096] = bytes(4096)
        path.write_bytes(content)

    return spoil


def _a_row(change: str, *values: object) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        with closing(sqlite3.connect(path)) as db:
            db.execute(f"UPDATE entries SET {change} WHERE address = 'toy.thing/n007'", values)
            db.commit()

    return spoil


PHYSICAL = {
    "truncated": _truncated,
    "cut within a page": _cut_within_a_page,
    **{f"zeros at {share:.0%}": _zeros(share) for share in (0.1, 0.3, 0.5, 0.7, 0.9)},
}
LOGICAL = {
    "no JSON": _a_row("body = 'nonsense'"),
    "JSON that says nothing": _a_row("body = '{}'"),
    "a list": _a_row("body = '[]'"),
    "an unknown status": _a_row("body = json_set(body, '$.status', 'dreaming')"),
    "no address": _a_row("address = 'nonsense'"),
    "zeros in a text": _a_row("body = ?", "{\x00\x00}"),
    "a strange mark": _a_row("body = json_set(body, '$.applied', json('{\"$strange\": 1}'))"),
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize("damage", PHYSICAL)
def test_a_file_with_a_hole_in_it_is_refused_and_left_as_it_is(path: Path, damage: str, attempt: str) -> None:
    """Before anything is written, and without losing what may still be saved from it."""
    PHYSICAL[damage](path)
    before = _kept(path)
    store = _store(path)
    with pytest.raises(StateError) as caught:
        ATTEMPTS[attempt](store)
    store.close()

    assert before == _kept(path)
    assert str(path) in caught.value.detail
    assert caught.value.remedy


@pytest.mark.parametrize("damage", LOGICAL)
def test_a_row_that_makes_no_sense_is_damage(path: Path, damage: str) -> None:
    """An error to act on; never a fault of prov, and never an entry that is passed over."""
    LOGICAL[damage](path)
    for shut in (False, True):
        with pytest.raises(StateError) as caught:
            _store(path).load(shut=shut)
        assert caught.value.summary in (
            "the state is damaged",
            "the state or plan holds a value of an unknown form",
        )


def test_the_log_of_another_state_is_not_taken_over(path: Path, tmp_path: Path) -> None:
    """As after a restore that put back the file and left the log of what was there; SQLite would mix the two."""
    (tmp_path / "elsewhere").mkdir()
    other = _store(tmp_path / "elsewhere" / "demo.db")
    with other.lock(INFO) as fence:
        other.commit([Put(_entry(number)) for number in range(COUNT)], fence)
        shutil.copy(f"{other.path}-wal", f"{path}-wal")
    other.close()
    before = _kept(path)
    for attempt in ATTEMPTS.values():
        store = _store(path)
        with pytest.raises(StateError, match="not a state of prov") as caught:
            attempt(store)
        store.close()
        assert "demo.db-wal" in caught.value.detail

    assert before == _kept(path)
    Path(f"{path}-wal").unlink()
    assert len(_store(path).load().entries) == COUNT


def test_its_own_log_is_taken_over(path: Path, tmp_path: Path) -> None:
    """What a killed process left in it is on record."""
    store = _store(path)
    (tmp_path / "copy").mkdir()
    with store.lock(INFO) as fence:
        store.commit([Put(_entry(COUNT))], fence)
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", tmp_path / "copy" / f"demo.db{suffix}")
    store.close()

    assert len(_store(tmp_path / "copy" / "demo.db").load().entries) == COUNT + 1


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_folder_in_the_way_is_an_error_for_people(tmp_path: Path, attempt: str) -> None:
    """It is not a state, and nothing is put into it."""
    folder = tmp_path / "demo.db"
    folder.mkdir()
    with pytest.raises(StateError, match="not a state of prov"):
        ATTEMPTS[attempt](_store(folder))

    assert list(folder.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_file_that_may_not_be_read_is_an_error_for_people(path: Path, attempt: str) -> None:
    """The reason is told."""
    path.chmod(0)
    with pytest.raises(StateError, match="not a state of prov") as caught:
        ATTEMPTS[attempt](_store(path))
    path.chmod(0o600)

    assert "Permission denied" in caught.value.detail


# no room


@contextmanager
def _no_file_beyond(size: int) -> Iterator[None]:
    """As on a full disk: no file grows beyond so many bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_commit_that_finds_no_room_leaves_the_old_state_and_can_be_repeated(path: Path) -> None:
    """The run is told to make room; what was on record still is, for others too."""
    changes = [Put(_entry(number, error="y" * 2000)) for number in range(COUNT)]
    changes_too = [*changes, Bind("x", "1"), Note(RunRecord("r", "apply", "ada", "desk", "now"))]
    store = _store(path)
    with store.lock(INFO) as fence:
        before = store.load()
        with _no_file_beyond(50_000), pytest.raises(StateError, match="cannot be written") as caught:
            store.commit(changes_too, fence)
        kept = (store.load(), _store(path).load(), store.runs())
        serial = store.commit(changes_too, fence)
        after = store.load()
    store.close()

    assert "has room" in caught.value.remedy
    assert (before, before, ()) == kept
    assert _after(before, changes_too, serial) == after


def _after(state: State, changes: list[Put | Bind | Note], serial: int) -> State:
    return state.after(changes, serial)


def test_a_new_data_key_that_finds_no_room_leaves_the_old_one(path: Path) -> None:
    """Nothing is sealed half with the one and half with the other."""
    store = _store(path)
    before = store.load()
    with store.lock(INFO) as fence, _no_file_beyond(50_000), pytest.raises(StateError, match="cannot be written"):
        store.reseal([ME.recipient()], fence)
    store.close()

    assert before == _store(path).load()
