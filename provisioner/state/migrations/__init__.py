"""How a state of an older format becomes one of the format of today, one numbered step after the other.

Each step is a module of its own and is never edited again: it does not use what the store of today looks like.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from provisioner.model.state import FORMAT
from provisioner.state.migrations import generations_and_runs

STEPS: tuple[Callable[[sqlite3.Connection], None], ...] = (generations_and_runs.migrate,)
"""The first takes format 1 to format 2, and so on."""


def migrate(db: sqlite3.Connection) -> None:
    """Brings a state to the format of today, or leaves it as it is when something goes wrong."""
    db.execute("BEGIN IMMEDIATE")
    try:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        for step in STEPS[version - 1 :]:
            step(db)
        db.execute(f"PRAGMA user_version = {FORMAT}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # SQLite ends it by itself when the disk is full
            db.execute("ROLLBACK")
        raise
