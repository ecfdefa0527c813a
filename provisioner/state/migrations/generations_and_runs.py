"""1 → 2: several generations of an address on record at once, and the history of runs.

A row is found by address and generation. What an entry needs stands in a column, so that a rename finds it; what
stands empty in a body is left out.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

_OPTIONAL = ("id", "phase", "memo", "protect", "how", "error", "intended", "applied", "outputs")


def migrate(db: sqlite3.Connection) -> None:
    """Takes over every entry; sealed leaves stay as they are, for they are bound to the key of their entry."""
    db.execute("ALTER TABLE entries RENAME TO old_entries")
    db.execute(
        "CREATE TABLE entries (address TEXT NOT NULL, generation INTEGER NOT NULL, deposed INTEGER NOT NULL, "
        "serial INTEGER NOT NULL, needs TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (address, generation))"
    )
    db.execute("CREATE UNIQUE INDEX current ON entries (address) WHERE NOT deposed")
    rows = db.execute("SELECT address, serial, body FROM old_entries ORDER BY address")
    db.executemany("INSERT INTO entries VALUES (?, ?, 0, ?, ?, ?)", (_row(*row) for row in rows))
    db.execute("DROP TABLE old_entries")
    db.execute("UPDATE owner SET who = NULL")  # it was never taken off, so it does not tell of a run that was cut off
    db.execute(
        "CREATE TABLE runs (id TEXT PRIMARY KEY, doing TEXT NOT NULL, who TEXT NOT NULL, host TEXT NOT NULL, "
        "since TEXT NOT NULL, until TEXT NOT NULL, outcome TEXT NOT NULL, summary TEXT NOT NULL)"
    )


def _row(address: str, serial: int, text: str) -> tuple[Any, ...]:
    body = json.loads(text)
    generation, needs = body.pop("generation"), " ".join(body.pop("depends_on"))
    kept = {name: value for name, value in body.items() if name not in _OPTIONAL or _says_something(value)}
    return (
        address,
        generation,
        serial,
        needs,
        json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
    )


def _says_something(value: Any) -> bool:
    return value is not None and value is not False and value != "" and value != {}
