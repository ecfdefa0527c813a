"""Sealed bytes: kept while their secret is, changed all at once with the data key, opened by every recipient."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from provisioner.errors import KeyMissing, StateError, StateMoved
from provisioner.model.address import Address
from provisioner.model.state import Entry, Fence, LockInfo, Move, Publish, Put, State, Status
from provisioner.model.value import Secret
from provisioner.state.sealed import Identity, new_identity
from provisioner.state.sqlite_store import SqliteStore

ME, YOU = Identity(new_identity(), "mine"), Identity(new_identity(), "yours")
INFO = LockInfo("ada", "desk", 4711, "2026-11-23T12:00:00+00:00", "apply")
A, B = Address("toy.thing", "a"), Address("toy.thing", "b")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = _store(tmp_path)
    yield made
    made.close()


def _store(folder: Path, identity: Identity = ME) -> SqliteStore:
    return SqliteStore(folder / "demo.db", "demo", lambda: identity)


def _entry(address: Address = A, **fields: object) -> Entry:
    return evolve(Entry(address, 1, "toy", f"key-of-{address.name}", Status.READY), **fields)


def _put(store: SqliteStore, *entries: Entry) -> None:
    with store.lock(INFO) as fence:
        store.commit([Put(entry) for entry in entries], fence)


def _body(store: SqliteStore, address: Address = A) -> Any:
    (found,) = [entry for entry in store.pull()["entries"] if entry["address"] == str(address)]
    return found


# what does not change


def test_a_secret_that_is_written_again_keeps_its_bytes(store: SqliteStore) -> None:
    """Also from another process, and whatever else changes about its entry."""
    outputs = {"password": Secret("hunter2"), "list": ({"pin": Secret(7)},), "name": "x"}
    _put(store, _entry(outputs=outputs))
    before = _body(store)["outputs"]
    _put(_store(store.path.parent), _entry(outputs={**outputs, "name": "y"}, status=Status.DELETING, how="leave"))
    after = _body(store)

    assert before["password"] == after["outputs"]["password"]
    assert before["list"] == after["outputs"]["list"]
    assert (after["outputs"]["name"], after["how"]) == ("y", "leave")


def test_a_secret_that_changes_is_sealed_anew_and_no_other(store: SqliteStore) -> None:
    """Also if it only changes its type."""
    _put(store, _entry(outputs={"password": Secret("hunter2"), "pin": Secret(1), "flag": Secret(True)}))
    before = _body(store)["outputs"]
    _put(store, _entry(outputs={"password": Secret("hunter2"), "pin": Secret("1"), "flag": Secret(1)}))
    after = _body(store)["outputs"]

    assert {"password"} == {name for name in before if before[name] == after[name]}


def test_what_was_intended_keeps_its_bytes_when_it_is_applied(store: SqliteStore) -> None:
    """So a step that is done changes as little as one that began."""
    _put(store, _entry(status=Status.CREATING, intended={"token": Secret("new")}))
    intended = _body(store)["intended"]
    _put(store, _entry(applied={"token": Secret("new")}))

    assert intended == _body(store)["applied"]


def test_the_same_secret_elsewhere_is_not_to_be_recognised(store: SqliteStore) -> None:
    """Two leaves of one entry, and two entries, never share their bytes."""
    outputs = {"one": Secret("hunter2"), "two": Secret("hunter2")}
    _put(store, _entry(A, outputs=outputs), _entry(B, outputs=outputs))
    _put(store, _entry(A, outputs=outputs), _entry(B, outputs=outputs))
    sealed = [leaf["$secret"] for address in (A, B) for leaf in _body(store, address)["outputs"].values()]

    assert len(set(sealed)) == 4


def test_another_object_under_the_same_address_seals_its_own(store: SqliteStore) -> None:
    """Sealed bytes are bound to the key of their entry."""
    _put(store, _entry(outputs={"password": Secret("hunter2")}))
    before = _body(store)["outputs"]
    _put(store, _entry(key="another", outputs={"password": Secret("hunter2")}))

    assert before != _body(store)["outputs"]
    assert store.load().entries[A].outputs == {"password": Secret("hunter2")}


def test_outputs_of_the_cluster_keep_their_bytes(store: SqliteStore) -> None:
    """They are written whole with every change of one."""
    with store.lock(INFO) as fence:
        store.commit([Publish({"password": Secret("hunter2"), "api": "x"})], fence)
        before = store.pull()["outputs"]
        store.commit([Publish({"password": Secret("hunter2"), "api": "y"})], fence)
        after = store.pull()["outputs"]

    assert before["password"] == after["password"]
    assert after["api"] == "y"


def test_a_move_leaves_every_sealed_byte_as_it_is(store: SqliteStore) -> None:
    """No identity is needed for it."""
    _put(store, _entry(outputs={"password": Secret("hunter2")}))
    before = _body(store)
    blind = SqliteStore(store.path, "demo", _refuse)
    with blind.lock(INFO) as fence:
        blind.commit([Move(A, B)], fence)
    blind.close()

    assert before["outputs"] == _body(store, B)["outputs"]
    assert store.load().entries[B].outputs == {"password": Secret("hunter2")}


def test_a_sealed_leaf_that_was_altered_is_no_obstacle_to_writing_it_anew(store: SqliteStore) -> None:
    """What does not open is not kept."""
    _put(store, _entry(outputs={"password": Secret("hunter2")}))
    store.close()
    with closing(sqlite3.connect(store.path)) as db:
        db.execute("UPDATE entries SET body = json_set(body, '$.outputs.password.\"$secret\"', 'AAAA')")
        db.commit()
    _put(store, _entry(outputs={"password": Secret("hunter2")}))

    assert store.load().entries[A].outputs == {"password": Secret("hunter2")}


# without an identity


def _refuse() -> Identity:
    raise AssertionError("no identity is needed for this")


def test_looking_and_correcting_need_no_identity(store: SqliteStore) -> None:
    """Only who wants a secret in the clear is asked for one."""
    _put(store, _entry(outputs={"password": Secret("hunter2"), "name": "x"}))
    blind = SqliteStore(store.path, "demo", _refuse)
    shut = blind.load(shut=True)
    blind.pull()
    blind.runs()
    with blind.lock(INFO):
        pass
    blind.close()

    assert shut.entries[A].outputs["name"] == "x"
    with pytest.raises(KeyMissing) as caught:
        shut.entries[A].outputs["password"].reveal()  # type: ignore[union-attr]
    assert "PROV_AGE_KEY" in caught.value.remedy


def test_what_stayed_sealed_cannot_be_written(store: SqliteStore) -> None:
    """A state that was read without an identity never overwrites a secret."""
    _put(store, _entry(outputs={"password": Secret("hunter2")}))
    before = store.load()
    with store.lock(INFO) as fence, pytest.raises(KeyMissing):
        store.commit([Put(entry) for entry in store.load(shut=True).entries.values()], fence)

    assert before == store.load()


# recipients and the data key


def _fill(store: SqliteStore) -> State:
    old = _entry(generation=2, key="older", deposed=True, applied={"token": Secret("x"), "$odd": {"$secret": "no"}})
    _put(store, _entry(outputs={"password": Secret("hunter2")}), old, _entry(B))
    with store.lock(INFO) as fence:
        store.commit([Publish({"password": Secret("hunter2")})], fence)
    return store.load()


def _sealed(store: SqliteStore) -> set[str]:
    """Every sealed text there is."""

    def walk(raw: Any) -> Iterator[str]:
        if isinstance(raw, dict):
            if raw.keys() == {"$secret"}:
                yield raw["$secret"]
            for item in raw.values():
                yield from walk(item)
        elif isinstance(raw, list):
            for item in raw:
                yield from walk(item)

    return set(walk(store.pull()))


def test_who_is_added_opens_what_was_there_before(store: SqliteStore) -> None:
    """Nothing is sealed anew for it."""
    _fill(store)
    sealed = _sealed(store)
    with store.lock(INFO) as fence:
        store.share([ME.recipient(), YOU.recipient()], fence)
    state = store.load()

    assert state == _store(store.path.parent, YOU).load()
    assert state.serial == 3
    assert sealed == _sealed(store)
    assert [ME.recipient(), YOU.recipient()] == store.pull()["data_key"]["recipients"]


def test_a_new_data_key_changes_every_sealed_byte_and_nothing_else(store: SqliteStore) -> None:
    """Serials of entries stay: what was planned from them still holds."""
    before, sealed = _fill(store), _sealed(store)
    with store.lock(INFO) as fence:
        store.reseal([ME.recipient()], fence)
    after = store.load()

    assert evolve(before, serial=before.serial + 1) == after
    assert len(sealed) == len(_sealed(store)) == 3
    assert sealed.isdisjoint(_sealed(store))


def test_who_is_left_out_of_a_new_data_key_opens_nothing_any_more(store: SqliteStore) -> None:
    """And nothing the old key opens is left in the file."""
    _fill(store)
    with store.lock(INFO) as fence:
        store.share([ME.recipient(), YOU.recipient()], fence)
    sealed = _sealed(store)
    assert all(text.encode() in _bytes(store) for text in sealed)
    with store.lock(INFO) as fence:
        store.reseal([ME.recipient()], fence)

    with pytest.raises(KeyMissing):
        _store(store.path.parent, YOU).load()
    assert [text for text in sealed if text.encode() in _bytes(store)] == []


def _bytes(store: SqliteStore) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(store.path.parent.glob("demo.db*")))


def test_another_process_goes_on_with_the_new_data_key(store: SqliteStore) -> None:
    """A handle that had the old one finds the new one when it reads, and when it locks."""
    _fill(store)
    other = _store(store.path.parent)
    other.load()
    with store.lock(INFO) as fence:
        store.reseal([ME.recipient()], fence)
    assert other.load() == store.load()
    with store.lock(INFO) as fence:
        store.reseal([ME.recipient()], fence)
    _put(other, _entry(B, outputs={"password": Secret("new")}))
    other.close()

    assert store.load().entries[B].outputs == {"password": Secret("new")}


def test_the_data_key_is_changed_by_who_holds_the_lock_only(store: SqliteStore) -> None:
    """Like every write."""
    _fill(store)
    sealed = _sealed(store)
    with store.lock(INFO) as fence:
        for change in (store.share, store.reseal):
            with pytest.raises(StateMoved):
                change([YOU.recipient()], Fence(fence.token - 1))

    assert sealed == _sealed(store)
    assert [ME.recipient()] == store.pull()["data_key"]["recipients"]


@pytest.mark.parametrize(
    "text",
    ["", "age1nonsense", "AGE-SECRET-KEY-1NONSENSE", YOU.text],
    ids=["nothing", "nonsense", "half", "identity"],
)
def test_what_is_no_recipient_is_refused_and_an_identity_is_not_quoted(store: SqliteStore, text: str) -> None:
    """Nothing is changed by it."""
    before = _fill(store)
    with store.lock(INFO) as fence:
        for change in (store.share, store.reseal):
            with pytest.raises(KeyMissing) as caught:
                change([ME.recipient(), text], fence)
            assert "SECRET" not in caught.value.detail

    assert before == store.load()


def test_a_damaged_leaf_keeps_the_old_data_key(store: SqliteStore) -> None:
    """What does not open cannot be sealed anew, so nothing is."""
    _fill(store)
    store.close()
    with closing(sqlite3.connect(store.path)) as db:
        db.execute("UPDATE meta SET value = ? WHERE name = 'outputs'", (json.dumps({"p": {"$secret": "AAAA"}}),))
        db.commit()
    sealed = _sealed(store)
    with store.lock(INFO) as fence, pytest.raises(StateError, match="does not open"):
        store.reseal([ME.recipient()], fence)

    assert sealed == _sealed(store)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_change_of_the_data_key_that_is_killed_leaves_the_old_or_the_new_one_whole(
    store: SqliteStore, moment: str
) -> None:
    """Just before its commit, or just after."""
    before, sealed = _fill(store), _sealed(store)
    store.close()
    script = f"""
        import os
        from pathlib import Path
        from provisioner.model.state import LockInfo
        from provisioner.state.sealed import Identity
        from provisioner.state.sqlite_store import SqliteStore
        identity = Identity({ME.text!r}, "child")
        store = SqliteStore(Path({str(store.path)!r}), "demo", lambda: identity)
        with store.lock(LockInfo("child", "there", 1, "now", "keys rotate")) as fence:
            deadly = {{"before": "COMMIT", "after": "PRAGMA wal_checkpoint(TRUNCATE)"}}[{moment!r}]
            store._db.set_trace_callback(lambda text: os.kill(os.getpid(), 9) if text == deadly else None)
            store.reseal([identity.recipient()], fence)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    after = store.load()

    assert killed.returncode == -signal.SIGKILL
    assert before.entries == after.entries
    assert before.deposed == after.deposed
    assert before.outputs == after.outputs
    assert (sealed == _sealed(store)) == (moment == "before")
    assert sealed.isdisjoint(_sealed(store)) == (moment == "after")


def test_a_pulled_state_leaves_nothing_out(store: SqliteStore, tmp_path: Path) -> None:
    """From its JSON, the wrapped key among it, the same state can be written down again."""
    state = _fill(store)
    text = json.dumps(store.pull())
    assert "hunter2" not in text

    again = SqliteStore(tmp_path / "again.db", "demo", lambda: ME)
    again.create()
    again.close()
    _write_down(again.path, json.loads(text))

    assert state == again.load()
    again.close()


def _write_down(path: Path, pulled: dict[str, Any]) -> None:
    head = ("address", "generation", "deposed", "serial", "depends_on")
    with closing(sqlite3.connect(path)) as db:
        for entry in pulled["entries"]:
            body = {name: value for name, value in entry.items() if name not in head}
            row = (*(entry[name] for name in head[:4]), " ".join(entry["depends_on"]), json.dumps(body))
            db.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", row)
        key = pulled["data_key"]
        meta = {"data_key": key["wrapped"], "recipients": " ".join(key["recipients"])}
        meta |= {
            "lineage": pulled["lineage"],
            "serial": str(pulled["serial"]),
            "outputs": json.dumps(pulled["outputs"]),
        }
        db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(meta.items()))
        db.commit()
