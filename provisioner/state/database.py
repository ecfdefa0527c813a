"""Opening the file of a state: what is not ours, or not of our time, is refused and left as it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provisioner.errors import StateError
from provisioner.model.state import FORMAT
from provisioner.state.migrations import migrate
from provisioner.state.tables import APPLICATION


def open_to_read(path: Path) -> sqlite3.Connection:
    """The state as one of today's format; an older one is migrated in a copy in memory, and the file stays."""
    db = _connect(path)
    if _format(db, path) == FORMAT:
        return db
    copy = sqlite3.connect(":memory:", isolation_level=None)
    with reading(path):
        db.backup(copy)
        db.close()
        migrate(copy)
    return copy


def open_to_write(path: Path) -> sqlite3.Connection:
    """The state itself, in whatever known format it is; see `bring_up`. Only for who holds the lock."""
    db = _connect(path)
    _format(db, path)
    try:
        with reading(path):
            _check_whole(db)
        with writing(path):
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
    except StateError:
        db.close()
        raise
    return db


def bring_up(db: sqlite3.Connection, path: Path) -> None:
    """Migrates a state of an older format in one transaction."""
    if _format(db, path) != FORMAT:
        with reading(path), writing(path):
            migrate(db)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Lets what keeps a state from being written, such as a full disk, come out as an error to act on."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as err:
        raise StateError(
            "the state cannot be written",
            detail=f"{path}: {getattr(err, 'strerror', None) or err}",
            remedy="see that its folder can be written and has room, then run the same command again",
        ) from None


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Lets damage come out as an error to act on, whether SQLite notices it or what stands in the rows shows it."""
    try:
        yield
    except (sqlite3.DatabaseError, ValueError, KeyError, TypeError, AttributeError) as err:
        said = f"SQLite says: {err}" if isinstance(err, sqlite3.Error) else "what stands in it makes no sense"
        raise StateError(
            "the state is damaged",
            detail=f"{path}: {said}; it is left as it is",
            remedy="restore the state from a backup",
        ) from None


def _connect(path: Path) -> sqlite3.Connection:
    _check_head(path)
    _check_log(path)
    db = sqlite3.connect(path, isolation_level=None, timeout=30)
    try:
        with writing(path):  # SQLite may have to finish an interrupted commit before it can read
            db.execute("PRAGMA user_version")
    except sqlite3.DatabaseError as err:
        db.close()
        raise _foreign(path, f"SQLite says: {err}") from None
    except StateError:
        db.close()
        raise
    return db


def _format(db: sqlite3.Connection, path: Path) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > FORMAT:
        db.close()
        raise StateError(
            "this state was written by a newer version of prov",
            detail=f"{path} has format {version}, this prov knows formats up to {FORMAT}",
            remedy="use the version of prov that wrote it, or a later one",
        )
    if version < 1:
        db.close()
        raise _foreign(path, "it has no format")
    return int(version)


def _check_head(path: Path) -> None:
    """Reads the head of the file itself: SQLite would tidy up a database, also one that is not ours."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except OSError as err:
        raise _foreign(path, str(err.strerror)) from None
    if not head.startswith(b"SQLite format 3\0"):
        raise _foreign(path, "it is no database")
    if int.from_bytes(head[68:72]) != APPLICATION:
        raise _foreign(path, "it is a database of another program")


def _check_log(path: Path) -> None:
    """A write-ahead log tells nothing of the file it belongs to; so the state must be the same with and without it.

    Both are only read: SQLite takes a log over into the file when a connection that can write is closed.
    """
    log = path.with_name(f"{path.name}-wal")
    if not log.exists() or not log.stat().st_size:
        return
    without, with_log = _lineage(path, "immutable=1"), _lineage(path, "mode=ro")
    if without and with_log and without != with_log:
        raise _foreign(path, f"{log.name} beside it is the log of another one")


def _lineage(path: Path, how: str) -> str:
    """The lineage as a reader finds it; empty where it cannot tell, also for one who reads while others write."""
    db = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)
    try:
        return str(db.execute("SELECT value FROM meta WHERE name = 'lineage'").fetchone()[0])
    except (sqlite3.Error, TypeError):
        return ""
    finally:
        db.close()


def _check_whole(db: sqlite3.Connection) -> None:
    """Looks at every page before the first write; takes about a millisecond per thousand entries."""
    (said,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise sqlite3.DatabaseError(said.replace("\n", " "))


def _foreign(path: Path, why: str) -> StateError:
    return StateError(
        "this file is not a state of prov",
        detail=f"{path}: {why}; it is left as it is",
        remedy="name another file with --state, or restore the state from a backup",
    )
