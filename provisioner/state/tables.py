"""The tables of a state in SQLite, and the statements that write them."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import astuple

from provisioner.model.address import Address
from provisioner.model.state import FORMAT, Bind, Change, Drop, Entry, Move, Note, Publish, Put, RunRecord
from provisioner.state.codec import Seal, dumps, encode, resealed
from provisioner.state.rows import Row, row, seals, with_new_seals

APPLICATION = 0x70726F76  # "prov", so that a foreign database is told from ours
KEPT_RUNS = 1000
OUTPUTS = "outputs"
"""Where the outputs stand in `meta`, and what their secrets are bound to."""

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entries (
    address TEXT NOT NULL, generation INTEGER NOT NULL, deposed INTEGER NOT NULL,
    serial INTEGER NOT NULL, needs TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (address, generation)
);
CREATE UNIQUE INDEX current ON entries (address) WHERE NOT deposed;
CREATE TABLE bindings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE owner (token INTEGER NOT NULL, who TEXT, host TEXT, pid INTEGER, since TEXT, doing TEXT);
CREATE TABLE runs (
    id TEXT PRIMARY KEY, doing TEXT NOT NULL, who TEXT NOT NULL, host TEXT NOT NULL,
    since TEXT NOT NULL, until TEXT NOT NULL, outcome TEXT NOT NULL, summary TEXT NOT NULL
);
"""


def draw_up(db: sqlite3.Connection, meta: Mapping[str, str]) -> None:
    """The tables of an empty state, in one transaction; its format is what is written last."""
    db.execute("BEGIN EXCLUSIVE")
    for statement in _TABLES.split(";"):
        db.execute(statement)
    db.executemany("INSERT INTO meta VALUES (?, ?)", list(meta.items()))
    db.execute("INSERT INTO owner (token) VALUES (0)")
    db.execute(f"PRAGMA application_id = {APPLICATION}")
    db.execute(f"PRAGMA user_version = {FORMAT}")
    db.execute("COMMIT")


def read_rows(db: sqlite3.Connection) -> Iterable[Row]:
    """Every entry, in the order of addresses and generations."""
    return db.execute(
        "SELECT address, generation, deposed, serial, needs, body FROM entries ORDER BY address, generation"
    )


def read_runs(db: sqlite3.Connection) -> list[RunRecord]:
    """The history, newest first."""
    rows = db.execute("SELECT id, doing, who, host, since, until, outcome, summary FROM runs ORDER BY rowid DESC")
    return [RunRecord(*row) for row in rows]


def write(db: sqlite3.Connection, changes: Iterable[Change], serial: int, seal: Seal) -> None:
    """Writes changes in their order; neighbours of one sort share a statement."""
    for sort, group in itertools.groupby(changes, type):
        _write(db, sort, group, serial, seal)


def _write(db: sqlite3.Connection, sort: type[Change], changes: Iterable[Any], serial: int, seal: Seal) -> None:
    if sort is Put:  # REPLACE makes way twice: for the same generation, and for what the address has now
        rows = (row(c.entry, serial, seal, _earlier(db, c.entry)) for c in changes)
        db.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?)", rows)
    elif sort is Drop:
        gone = ((str(c.address), c.generation) for c in changes)
        db.executemany("DELETE FROM entries WHERE address = ? AND generation = ?", gone)
    elif sort is Move:
        for change in changes:
            _move(db, change.origin, change.target, serial)
    elif sort is Bind:
        db.executemany("INSERT OR REPLACE INTO bindings VALUES (?, ?)", ((c.name, c.value) for c in changes))
    elif sort is Publish:
        for change in changes:
            before = db.execute("SELECT value FROM meta WHERE name = ?", (OUTPUTS,)).fetchall()
            text = dumps(encode(change.outputs, seal, OUTPUTS, [json.loads(old) for (old,) in before]))
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (OUTPUTS, text))
    elif sort is Note:
        _note(db, (c.run for c in changes))


def reseal(db: sqlite3.Connection, old: Seal, new: Seal) -> None:
    """Seals every secret anew. The serials of entries stay, for nothing changes about them."""
    ids = db.execute("SELECT rowid FROM entries WHERE instr(body, '\"$secret\"')").fetchall()
    for id_ in ids:
        (body,) = db.execute("SELECT body FROM entries WHERE rowid = ?", id_).fetchone()
        db.execute("UPDATE entries SET body = ? WHERE rowid = ?", (with_new_seals(body, old, new), *id_))
    for (outputs,) in db.execute("SELECT value FROM meta WHERE name = ?", (OUTPUTS,)).fetchall():
        text = dumps(resealed(json.loads(outputs), old, new, OUTPUTS))
        db.execute("UPDATE meta SET value = ? WHERE name = ?", (text, OUTPUTS))


def _earlier(db: sqlite3.Connection, entry: Entry) -> Mapping[str, Any]:
    """The body an entry had before, if it has secrets; sealed leaves open with the entry's key only."""
    if not seals(entry):
        return {}
    found = db.execute(
        "SELECT body FROM entries WHERE address = ? AND generation = ?", (str(entry.address), entry.generation)
    ).fetchone()
    body: dict[str, Any] = json.loads(found[0]) if found else {}
    return body if body.get("key") == entry.key else {}


def _move(db: sqlite3.Connection, origin: Address, target: Address, serial: int) -> None:
    """Renames in the column that others name it in too; bodies stay as they are, byte for byte."""
    old, new = str(origin), str(target)
    found = db.execute(
        "SELECT rowid, needs FROM entries WHERE instr(' ' || needs || ' ', ?)", (f" {old} ",)
    ).fetchall()
    renamed = (
        (" ".join(new if need == old else need for need in needs.split()), serial, id_) for id_, needs in found
    )
    db.executemany("UPDATE entries SET needs = ?, serial = ? WHERE rowid = ?", renamed)
    db.execute("UPDATE OR REPLACE entries SET address = ?, serial = ? WHERE address = ?", (new, serial, old))


def _note(db: sqlite3.Connection, runs: Iterator[RunRecord]) -> None:
    """Writes runs into the history, and forgets the oldest beyond what is kept."""
    db.executemany(
        "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET doing = excluded.doing, "
        "who = excluded.who, host = excluded.host, since = excluded.since, until = excluded.until, "
        "outcome = excluded.outcome, summary = excluded.summary",
        map(astuple, runs),
    )
    db.execute("DELETE FROM runs WHERE rowid <= (SELECT max(rowid) FROM runs) - ?", (KEPT_RUNS,))
