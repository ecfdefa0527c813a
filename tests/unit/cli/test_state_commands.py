"""The commands about the state and its keys: what they show, what they refuse, and that they never show a secret."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from fakes.desk import Desk

from provisioner.model.address import Address
from provisioner.model.state import Entry, LockInfo, Note, Publish, Put, RunRecord, State, Status
from provisioner.model.value import Secret
from provisioner.state.identity import create_identity, find_identity
from provisioner.state.sealed import Identity, new_identity
from provisioner.state.sqlite_store import SqliteStore

INFO = LockInfo("ada", "desk", 4711, "2026-11-23T12:00:00+00:00", "apply")
A, B = Address("toy.thing", "a"), Address("toy.thing", "b")
PLANTED = "planted-3f9a1c77-password"
BLIND = {"PROV_AGE_KEY_FILE": ""}


@pytest.fixture(scope="module")
def age_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An identity for all tests here."""
    key = tmp_path_factory.mktemp("age") / "age.key"
    create_identity(key)
    return key


@pytest.fixture
def desk(tmp_path: Path, age_key: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    """A state with something of everything in it."""
    (tmp_path / "cluster.yaml").write_text("this is not: [a cluster file")
    environ = {
        "HOME": str(tmp_path),
        "PROV_AGE_KEY_FILE": str(age_key),
        "PROV_STATE": ".prov/lab.db",
        "NO_COLOR": "1",
    }
    desk = Desk(tmp_path, environ, capsys)
    store = _store(desk)
    secret = {"size": 1, "token": Secret(PLANTED)}
    entries = (
        Entry(A, 1, "toy", "key-1", Status.READY, id="t-1", deposed=True, silent="2026-11-23T11:00:00+00:00"),
        Entry(A, 2, "toy", "key-2", Status.UPDATING, id="t-2", phase="booting", owed=("drain",)),
        Entry(B, 1, "toy", "key-3", Status.READY, id="t-3", depends_on=(A,), protect=True, error="no room"),
    )
    first = RunRecord("r1", "apply", "ada", "desk", "2026-11-23T12:00")
    second = RunRecord("r2", "destroy", "eve", "den", "2026-11-24T08:00", "2026-11-24T08:01", "done", "3 deleted")
    with store.lock(INFO) as fence:
        filled = [evolve(entry, applied=secret, outputs={"password": Secret(PLANTED)}) for entry in entries]
        store.commit([Put(entry) for entry in filled], fence)
        store.commit([Publish({"p": Secret(PLANTED)}), Note(first)], fence)
        store.commit([Note(second)], fence)
    store.close()
    return desk


def _path(desk: Desk) -> Path:
    return desk.folder / ".prov" / "lab.db"


def _store(desk: Desk, identity: Identity | None = None) -> SqliteStore:
    found = identity or find_identity(desk.environ)
    assert found is not None
    return SqliteStore(_path(desk), "lab", lambda: found)


def _state(desk: Desk) -> State:
    store = _store(desk)
    try:
        return store.load()
    finally:
        store.close()


# looking


def test_a_list_has_every_generation(desk: Desk) -> None:
    """With its status, and whether it is deposed; without the cluster file and without an identity."""
    text = desk.prov("state", "list", **BLIND).stdout
    listed = json.loads(desk.prov("state", "list", "--json", **BLIND).stdout)

    assert text.splitlines() == [
        "ADDRESS      GENERATION  STATUS    ID   NOTE",
        "toy.thing/a  2           updating  t-2  owed: drain",
        "toy.thing/a  1           ready     t-1  deposed; unknown since 2026-11-23T11:00:00+00:00",
        "toy.thing/b  1           ready     t-3  protected; no room",
    ]
    assert [(entry["address"], entry["generation"], entry["deposed"]) for entry in listed] == [
        ("toy.thing/a", 2, False),
        ("toy.thing/a", 1, True),
        ("toy.thing/b", 1, False),
    ]


def test_an_address_is_shown_with_all_that_is_on_record(desk: Desk) -> None:
    """Secrets show as secrets."""
    text = desk.prov("state", "show", "toy.thing/a").stdout
    view = json.loads(desk.prov("state", "show", "toy.thing/a", "--json", **BLIND).stdout)

    for line in (
        "toy.thing/a, generation 2",
        "  phase: booting",
        "    size: 1",
        "    token: (secret)",
        "  owed: drain",
    ):
        assert line in text.splitlines()
    assert "toy.thing/a, generation 1 (deposed)" in text.splitlines()
    assert view["current"]["applied"] == {"size": 1, "token": {"$secret": True}}
    assert [entry["id"] for entry in view["deposed"]] == ["t-1"]


def test_the_history_is_told_newest_first(desk: Desk) -> None:
    """With what came of each run."""
    lines = desk.prov("state", "runs").stdout.splitlines()
    view = json.loads(desk.prov("state", "runs", "--json", **BLIND).stdout)

    assert lines[0].split() == ["SINCE", "UNTIL", "DOING", "BY", "OUTCOME", "SUMMARY"]
    assert lines[1].split() == ["2026-11-24T08:00", "2026-11-24T08:01", "destroy", "eve@den", "done", "3", "deleted"]
    assert lines[2].split() == ["2026-11-23T12:00", "apply", "ada@desk"]
    assert [run["id"] for run in view] == ["r2", "r1"]


def test_a_pull_has_everything_and_no_secret(desk: Desk) -> None:
    """Also as a file, for its owner only."""
    pulled = json.loads(desk.prov("state", "pull", **BLIND).stdout)
    desk.prov("state", "pull", "--out", "backup.json", **BLIND)
    backup = desk.folder / "backup.json"

    assert pulled == json.loads(backup.read_text())
    assert backup.stat().st_mode & 0o777 == 0o600
    assert (pulled["prov_state"], pulled["cluster"], pulled["serial"], len(pulled["entries"])) == (2, "lab", 3, 3)
    assert pulled["entries"][0]["applied"]["token"].keys() == {"$secret"}
    assert PLANTED not in backup.read_text()


@pytest.mark.parametrize(
    "args",
    [
        ("state", "list"),
        ("state", "list", "--json"),
        ("state", "show", "toy.thing/a"),
        ("state", "show", "toy.thing/a", "--json"),
        ("state", "pull"),
        ("state", "runs"),
        ("state", "mv", "toy.thing/b", "toy.thing/z", "--json"),
        ("state", "rm", "toy.thing/b", "--yes", "--json"),
        ("keys", "show", "--json"),
        ("keys", "rotate", "--json"),
        ("unlock", "--yes", "--json"),
    ],
    ids=" ".join,
)
def test_no_command_shows_a_secret(desk: Desk, args: tuple[str, ...]) -> None:
    """Nor the identity, with every switch it has."""
    done = desk.prov(*args)

    said = done.stdout + done.stderr
    assert PLANTED not in said
    assert "AGE-SECRET-KEY" not in said


@pytest.mark.parametrize(
    "args",
    [
        ("state", "show", "toy.thing/aa"),
        ("state", "rm", "toy.thing/aa"),
        ("state", "mv", "toy.thing/aa", "toy.thing/x"),
    ],
)
def test_a_wrong_address_is_told_with_a_guess(desk: Desk, args: tuple[str, ...]) -> None:
    """And nothing is changed."""
    before = _state(desk)
    err = desk.prov(*args, code=1).stderr

    assert "nothing on record has this address" in err
    assert "did you mean 'toy.thing/a'?" in err
    assert before == _state(desk)


def test_a_state_that_is_not_there_is_told_as_such(desk: Desk) -> None:
    """None is made by looking for it."""
    for args in (("state", "pull"), ("state", "mv", "a.b/c", "a.b/d"), ("keys", "rotate"), ("keys", "add", "age1x")):
        assert "there is no state here" in desk.prov(*args, "--state", "nowhere.db", code=1).stderr
    assert desk.prov("state", "list", "--state", "nowhere.db", "--json").stdout == "[]\n"
    assert [path.name for path in desk.folder.glob("nowhere*")] == []


def test_a_cluster_file_is_read_for_its_name_only(desk: Desk) -> None:
    """A file that lacks a variable is no obstacle; without a plain name it has to be right."""
    file = desk.folder / "cluster.yaml"
    file.write_text("name: lab\noutputs: {x: '${env.NOWHERE}'}\n")
    listed = json.loads(desk.prov("state", "list", "--json", PROV_STATE="").stdout)
    file.write_text("name: ${var.name}\n")
    err = desk.prov("state", "list", code=1, PROV_STATE="").stderr
    file.write_text("name: other\n")
    other = desk.prov("state", "list", "--json", PROV_STATE="")
    (desk.folder / ".prov" / "other.db").write_bytes(_path(desk).read_bytes())
    strange = desk.prov("state", "list", code=1, PROV_STATE="").stderr

    assert len(listed) == 3
    assert "cluster.yaml:1" in err
    assert other.stdout == "[]\n"
    assert "this state belongs to another cluster" in strange


# correcting


def test_a_move_renames_all_generations_and_what_others_need(desk: Desk) -> None:
    """It needs no identity; sealed values stay with what they belong to."""
    desk.prov("state", "mv", "toy.thing/a", "toy.thing/c", **BLIND)
    state = _state(desk)
    c = Address("toy.thing", "c")

    assert {B, c} == set(state.entries)
    assert [(c, 1)] == list(state.deposed)
    assert state.entries[B].depends_on == (c,)
    assert state.entries[c].applied["token"] == Secret(PLANTED)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("toy.thing/b", "this address is taken"),
        ("toy.thing/a", "this address is taken"),
        ("toy.other/c", "a move cannot change the kind"),
        ("nonsense", "this is not an address"),
    ],
)
def test_a_move_to_where_it_cannot_go_is_refused(desk: Desk, target: str, said: str) -> None:
    """And changes nothing."""
    before = _state(desk)

    assert said in desk.prov("state", "mv", "toy.thing/a", target, code=1).stderr
    assert before == _state(desk)


def test_an_entry_is_forgotten_once_somebody_agrees(desk: Desk) -> None:
    """It says what that means, and what else is on record after it."""
    before = _state(desk)
    refused = desk.prov("state", "rm", "toy.thing/a", code=1).stderr
    assert before == _state(desk)
    done = desk.prov("state", "rm", "toy.thing/a", "--yes", **BLIND).stderr
    state = _state(desk)

    assert "the object itself stays" in refused
    assert "nobody is there to say yes" in refused
    assert "made after it: toy.thing/b" in done
    assert list(state.entries) == [B]
    assert list(state.deposed) == [(A, 1)]


def test_a_deposed_generation_is_forgotten_by_its_number(desk: Desk) -> None:
    """What the address stands for now is left alone; a number that is not there is refused."""
    assert "not 7" in desk.prov("state", "rm", "toy.thing/a", "--generation", "7", "--yes", code=1).stderr
    desk.prov("state", "rm", "toy.thing/a", "--generation", "1", "--yes")
    state = _state(desk)

    assert list(state.entries) == [A, B]
    assert dict(state.deposed) == {}


# the lock


def _child(desk: Desk, then: str) -> subprocess.Popen[str]:
    """A process that has taken the lock, under its own number on this machine."""
    identity = find_identity(desk.environ)
    assert identity is not None
    script = f"""
        import os, socket, sys
        from pathlib import Path
        from provisioner.model.state import LockInfo
        from provisioner.state.sqlite_store import SqliteStore
        store = SqliteStore(Path({str(_path(desk))!r}), "lab", None)
        info = LockInfo("eve", socket.gethostname(), os.getpid(), "2026-11-23T12:00:00+00:00", "apply")
        with store.lock(info) as fence:
            print(fence.token, flush=True)
            {then}
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_unlocking_is_refused_while_the_holder_lives(desk: Desk) -> None:
    """It is told who that is."""
    child = _child(desk, "sys.stdin.read()")
    assert child.stdout is not None
    child.stdout.readline()
    err = desk.prov("unlock", "--yes", code=1).stderr
    also = desk.prov("state", "rm", "toy.thing/b", "--yes", code=1).stderr
    child.communicate()

    for text in (err, also):
        assert "another run is at work on this state" in text
        assert f"`prov apply` by eve on {socket.gethostname()} (process {child.pid})" in text


def test_unlocking_clears_what_a_killed_run_left(desk: Desk) -> None:
    """Once somebody agrees; its right to write is void then, and nothing is left to unlock."""
    child = _child(desk, f"os.kill(os.getpid(), {signal.SIGKILL})")
    token = int(child.communicate()[0])
    refused = desk.prov("unlock", code=1).stderr
    view: Any = json.loads(desk.prov("unlock", "--yes", "--json", **BLIND).stdout)

    assert f"by eve on {socket.gethostname()} (process {child.pid})" in refused
    assert "nobody is there to say yes" in refused
    assert (view["cleared"]["who"], view["cleared"]["pid"]) == ("eve", child.pid)
    assert _owner(desk) == (token + 1, None)
    assert "nothing to unlock" in desk.prov("unlock").stderr


def test_unlocking_is_refused_if_the_process_is_there_without_its_lock(desk: Desk) -> None:
    """As when somebody has removed the lock's file under it."""
    with closing(sqlite3.connect(_path(desk))) as db:
        db.execute("UPDATE owner SET who = 'ada', host = ?, pid = ?", (socket.gethostname(), os.getpid()))
        db.commit()

    assert "the process that held the lock is still there" in desk.prov("unlock", "--yes", code=1).stderr


def _owner(desk: Desk) -> tuple[int, str | None]:
    with closing(sqlite3.connect(_path(desk))) as db:
        token, who = db.execute("SELECT token, who FROM owner").fetchone()
    return token, who


# keys


def test_keys_are_shown_with_and_without_a_state(desk: Desk) -> None:
    """The one in use, where it was found, and who can open the state."""
    identity = find_identity(desk.environ)
    assert identity is not None
    own = identity.recipient()
    view = json.loads(desk.prov("keys", "show", "--json").stdout)
    blind = json.loads(desk.prov("keys", "show", "--json", **BLIND).stdout)
    alone = json.loads(desk.prov("keys", "show", "--json", "--state", "nowhere.db").stdout)

    assert view == {"identity": {"recipient": own, "source": identity.source}, "recipients": [own], "opens": True}
    assert blind == {"identity": None, "recipients": [own], "opens": False}
    assert alone == {**view, "recipients": [], "opens": False}
    assert desk.prov("keys", "show").stdout.splitlines() == [
        f"identity   {own}  {identity.source}",
        f"recipient  {own}  the identity in use",
    ]


def test_a_second_recipient_opens_the_state_and_is_removed_again(desk: Desk) -> None:
    """After the change of the key that removes it, it opens nothing."""
    other = Identity(new_identity(), "another")
    before = _state(desk)
    added = desk.prov("keys", "add", other.recipient())
    again = json.loads(desk.prov("keys", "add", other.recipient(), "--json").stdout)
    theirs = {"PROV_AGE_KEY_FILE": "", "PROV_AGE_KEY": other.text}
    opened = _store(desk, other).load()
    locked_out = desk.prov("keys", "rotate", "--remove", other.recipient(), code=1, **theirs).stderr
    left = json.loads(desk.prov("keys", "rotate", "--remove", other.recipient(), "--json").stdout)
    refused = desk.prov("keys", "rotate", code=1, **theirs).stderr

    assert other.recipient() in added.stdout
    assert len(again["recipients"]) == 2
    assert before.entries == opened.entries == _state(desk).entries
    assert "this would lock you out" in locked_out
    assert left["recipients"] == again["recipients"][:1]
    assert "this age identity does not open the state" in refused


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("keys", "add", "age1nonsense"), "this is not an age recipient"),
        (("keys", "rotate", "--remove", "age1nonsense"), "this recipient cannot open the state anyway"),
    ],
)
def test_what_is_no_recipient_is_refused(desk: Desk, args: tuple[str, ...], said: str) -> None:
    """And nothing is changed."""
    before = _state(desk)

    assert said in desk.prov(*args, code=1).stderr
    assert before == _state(desk)


def test_keys_are_changed_with_an_identity_only(desk: Desk) -> None:
    """None is made for it: it would open nothing."""
    for args in (("keys", "add", Identity(new_identity(), "x").recipient()), ("keys", "rotate")):
        err = desk.prov(*args, code=1, **BLIND).stderr
        assert "there is no age identity to open the state's secrets with" in err
        assert "PROV_AGE_KEY_FILE" in err
