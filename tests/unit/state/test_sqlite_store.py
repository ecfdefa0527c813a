"""The embedded store: whole commits or none, one writer, secrets sealed, strangers' files untouched."""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import evolve

from provisioner.errors import KeyMissing, StateError, StateLocked
from provisioner.model.address import Address
from provisioner.model.state import Bind, Entry, LockInfo, Publish, Put, State, Status
from provisioner.model.value import Secret
from provisioner.state.sealed import Identity, new_identity
from provisioner.state.sqlite_store import SqliteStore

ME = Identity(new_identity(), "the test")
A, B = Address("toy.thing", "a"), Address("toy.thing", "b")
INFO = LockInfo("ada", "desk", 4711, "2026-11-23T12:00:00+00:00", "apply")
HUNTER2 = "hunter2-and-some-more"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".prov" / "demo.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    made = _store(path)
    yield made
    made.close()


def _store(path: Path, cluster: str = "demo", identity: Identity = ME) -> SqliteStore:
    return SqliteStore(path, cluster, lambda: identity)


def _entry(address: Address = A, **fields: object) -> Entry:
    return evolve(Entry(address, 1, "toy", f"key-of-{address.name}", Status.READY), **fields)


def _full() -> Entry:
    return _entry(
        id="toy-1",
        phase="booting",
        memo={"task": "7"},
        intended={"size": 2, "token": Secret(HUNTER2), "parts": ({"a": (1, None, True)},)},
        applied={"size": 1, "token": Secret("older")},
        outputs={"id": "toy-1", "password": Secret(HUNTER2)},
        depends_on=(B,),
        protect=True,
        how="leave",
        error="no room",
        status=Status.UPDATING,
    )


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(item.relative_to(folder)): item.read_bytes() for item in sorted(folder.rglob("*")) if item.is_file()}


# what is kept


def test_where_nothing_is_there_is_an_empty_state_and_nothing_is_made(store: SqliteStore, path: Path) -> None:
    assert State("demo", lineage="", serial=0) == store.load()
    assert not path.exists()


def test_bindings_and_outputs_come_back(store: SqliteStore, path: Path) -> None:
    outputs = {"api": "https://x", "password": Secret(HUNTER2), "list": (1, {"a": None})}
    with store.lock(INFO) as fence:
        store.commit(
            [Bind("contract", "1.12"), Bind("contract", "1.13"), Publish({"old": 1}), Publish(outputs)], fence
        )
    found = _store(path).load()
    assert dict(found.bindings) == {"contract": "1.13"}
    assert outputs == found.outputs


def test_creating_again_keeps_what_is_there(store: SqliteStore, path: Path) -> None:
    store.create()
    before = path.read_bytes()
    _store(path).create()
    assert before == path.read_bytes()


# secrets


def test_no_file_ever_holds_a_secret_in_the_clear(store: SqliteStore, path: Path) -> None:
    with store.lock(INFO) as fence:
        store.commit([Put(_full()), Publish({"password": Secret(HUNTER2)})], fence)
        found = b"".join(_bytes(path.parent).values())
    for hidden in (HUNTER2.encode(), *(base64.b64encode(b"." * n + HUNTER2.encode())[4:-4] for n in range(3))):
        assert hidden not in found
    assert ME.text.encode() not in found
    assert b"booting" in found  # so that the search itself is known to find something


def test_the_state_is_for_its_owner_only(store: SqliteStore, path: Path) -> None:
    with store.lock(INFO) as fence:
        store.commit([Put(_full())], fence)
        modes = {item.name: item.stat().st_mode & 0o777 for item in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}, modes


def test_a_state_without_secrets_is_read_without_an_identity(store: SqliteStore, path: Path) -> None:
    with store.lock(INFO) as fence:
        store.commit([Put(_entry())], fence)

    def refuse() -> Identity:
        raise AssertionError("no identity is needed to read this")

    assert list(SqliteStore(path, "demo", refuse).load().entries) == [A]


def test_the_wrong_identity_is_refused_with_a_remedy(store: SqliteStore, path: Path) -> None:
    with store.lock(INFO) as fence:
        store.commit([Put(_full())], fence)
    with pytest.raises(KeyMissing) as caught:
        _store(path, identity=Identity(new_identity(), "elsewhere")).load()
    assert "elsewhere" in caught.value.detail
    assert "PROV_AGE_KEY_FILE" in caught.value.remedy


def test_a_sealed_value_moved_to_another_entry_does_not_open(store: SqliteStore, path: Path) -> None:
    with store.lock(INFO) as fence:
        store.commit([Put(_full()), Put(_entry(B, outputs={"password": Secret("b's own")}))], fence)
    store.close()
    with sqlite3.connect(path) as db:
        (mine,) = db.execute(
            "SELECT json_extract(body, '$.outputs.password') FROM entries WHERE address LIKE '%a'"
        ).fetchone()
        db.execute(
            "UPDATE entries SET body = json_set(body, '$.outputs.password', json(?)) WHERE address LIKE '%b'", (mine,)
        )
    db.close()
    with pytest.raises(StateError, match="does not open"):
        _store(path).load()


# files that are not ours


def _garbage(path: Path) -> None:
    path.write_bytes(b"this is not a database" * 100)


def _short(path: Path) -> None:
    path.write_bytes(b"x")


def _foreign(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE precious (x)")
    db.execute("INSERT INTO precious VALUES (1)")
    db.commit()
    db.close()


def _foreign_at_work(path: Path) -> None:
    """Another program's database that was left with work in its write-ahead log."""
    workshop = path.with_name("workshop")
    db = sqlite3.connect(workshop)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE precious (x)")
    db.commit()
    for suffix in ("", "-wal"):
        shutil.copy(f"{workshop}{suffix}", f"{path}{suffix}")
    db.close()
    workshop.unlink()


def _newer(path: Path) -> None:
    made = _store(path)
    made.create()
    made.close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()


def _cut_in_half(path: Path) -> None:
    made = _store(path)
    with made.lock(INFO) as fence:
        made.commit([Put(_entry(Address("toy.thing", f"n{index}"))) for index in range(200)], fence)
    made.close()
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("make", [_garbage, _short, _foreign, _foreign_at_work, _newer, _cut_in_half])
def test_a_file_that_is_not_ours_is_refused_and_left_as_it_is(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "demo.db"
    make(path)
    lock = tmp_path / "demo.db.lock"
    lock.touch()
    before = _bytes(tmp_path)
    for attempt in (
        lambda store: store.load(),
        lambda store: store.lock(INFO).__enter__(),
        lambda store: store.vault(),
    ):
        store = _store(path)
        with pytest.raises(StateError) as caught:
            attempt(store)
        store.close()
        assert str(path) in caught.value.detail
        assert caught.value.remedy
    assert before == _bytes(tmp_path)


def test_a_folder_in_the_way_is_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(StateError):
        _store(tmp_path).load()


def test_a_place_that_cannot_be_written_is_an_error_for_people(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "demo.db"
    for attempt in (lambda: _store(path).create(), lambda: _store(path).lock(INFO).__enter__()):
        with pytest.raises(StateError, match="the state cannot be written") as caught:
            attempt()
        assert str(path) in caught.value.detail


def test_the_state_of_another_cluster_is_refused_and_left_as_it_is(store: SqliteStore, path: Path) -> None:
    with store.lock(INFO) as fence:
        store.commit([Put(_full())], fence)
    before, owner = store.load(), _owner(path)
    store.close()
    other = _store(path, cluster="other")
    with pytest.raises(StateError, match="another cluster") as caught:
        other.load()
    assert "'demo'" in caught.value.detail
    assert "'other'" in caught.value.detail
    with pytest.raises(StateError, match="another cluster"), other.lock(evolve(INFO, who="eve")):
        pass
    other.close()
    assert before == _store(path).load()
    assert owner == _owner(path)


def _owner(path: Path) -> tuple[object, ...]:
    db = sqlite3.connect(path)
    (row,) = db.execute("SELECT * FROM owner").fetchall()
    db.close()
    return tuple(row)


# the lock


def test_reading_needs_no_lock(store: SqliteStore, path: Path) -> None:
    with store.lock(INFO) as fence:
        store.commit([Put(_entry())], fence)
        assert list(_store(path).load().entries) == [A]


def test_a_newer_copy_in_its_place_is_read_at_once(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    """By who has looked at the older one; copies are made while another process has the lock, and put there whole."""
    place = tmp_path / "elsewhere" / "demo.db"
    place.parent.mkdir()
    reader = _store(place)
    with store.lock(INFO) as fence:
        for address in (A, B):
            store.commit([Put(_entry(address))], fence)
            _copied(path, place)

            assert store.load().entries == reader.load().entries
    reader.close()
    assert [place] == list(place.parent.iterdir())


def _copied(path: Path, place: Path) -> None:
    """As `sqlite3 FILE ".backup COPY"` does it, and a move."""
    draft = place.with_suffix(".new")
    with contextlib.closing(sqlite3.connect(path)) as there, contextlib.closing(sqlite3.connect(draft)) as here:
        there.backup(here)
    draft.replace(place)


# a process that dies


def _child(path: Path, work: str) -> subprocess.Popen[str]:
    """A process that takes the lock, does `work`, says so, and then waits to be killed."""
    script = f"""
        import sys
        from pathlib import Path
        from provisioner.model.address import Address
        from provisioner.model.state import Entry, LockInfo, Put, Status
        from provisioner.state import sqlite_store
        from provisioner.state.sealed import Identity
        def stop_here():
            print("ready", flush=True)
            sys.stdin.read()
        store = sqlite_store.SqliteStore(Path({str(path)!r}), "demo", lambda: Identity({ME.text!r}, "child"))
        put = Put(Entry(Address("toy.thing", "a"), 1, "toy", "k", Status.READY))
        with store.lock(LockInfo("child", "there", 1, "now", "apply")) as fence:
{textwrap.indent(textwrap.dedent(work), " " * 12)}
            stop_here()
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def _kill(child: subprocess.Popen[str]) -> None:
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()


def test_another_process_is_locked_out_until_it_is_killed(store: SqliteStore, path: Path) -> None:
    child = _child(path, "pass")
    try:
        with pytest.raises(StateLocked, match="another run") as caught, store.lock(INFO):
            pass
        assert "child" in caught.value.detail
    finally:
        _kill(child)
    with store.lock(INFO):
        pass


def test_what_was_committed_survives_a_kill(store: SqliteStore, path: Path) -> None:
    _kill(_child(path, "store.commit([put], fence)"))
    assert list(store.load().entries) == [A]


def test_a_commit_that_is_killed_half_way_leaves_the_old_state(store: SqliteStore, path: Path) -> None:
    with store.lock(INFO) as fence:
        store.commit([Put(_entry(B))], fence)
    before = store.load()
    store.close()
    half_way = """
        class Trap:
            def __iter__(self):
                yield put
                yield put
                stop_here()
        store.commit(Trap(), fence)
    """
    _kill(_child(path, half_way))
    assert before == store.load()
    with store.lock(INFO) as fence:
        store.commit([Put(_entry(A))], fence)


def test_a_creation_that_was_cut_off_is_made_good(store: SqliteStore, path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    assert State("demo", lineage="", serial=0) == store.load()
    with store.lock(INFO) as fence:
        store.commit([Put(_entry())], fence)
    assert list(store.load().entries) == [A]


def test_a_creation_that_is_killed_leaves_no_state_and_the_next_one_succeeds(store: SqliteStore, path: Path) -> None:
    script = f"""
        import os
        from pathlib import Path
        from provisioner.state import sqlite_store, tables
        from provisioner.state.sealed import Identity
        class Trap:
            def __format__(self, spec):
                os.kill(os.getpid(), 9)
        tables.FORMAT = Trap()  # written last, so the tables are there and not yet committed
        sqlite_store.SqliteStore(Path({str(path)!r}), "demo", lambda: Identity({ME.text!r}, "child")).create()
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert State("demo", lineage="", serial=0) == store.load()
    with store.lock(INFO) as fence:
        store.commit([Put(_entry())], fence)
    assert list(store.load().entries) == [A]


def test_of_two_creations_at_once_one_stands(path: Path) -> None:
    """The second looks before the first is done: its own draft must not take the place of the first's state."""
    first = _store(path)

    def meanwhile() -> Identity:
        first.create()
        return ME

    SqliteStore(path, "demo", meanwhile).create()
    lineage = first.load().lineage
    assert lineage == _store(path).load().lineage
    assert [path] == [item for item in path.parent.iterdir() if not item.name.endswith(("-wal", "-shm"))]
