"""The embedded state store: one SQLite file, one row per entry.

A commit is one durable transaction (WAL, full sync) that writes the rows it changes. The right to write is an
OS file lock beside the database, which the kernel frees however the process ends, and a row that tells who
holds it. Each grant raises the fencing token; a commit with an older token is refused inside its transaction.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import asdict

from provisioner.errors import StateError, StateLocked, StateMoved
from provisioner.model.address import Address
from provisioner.model.state import FORMAT, Bind, Change, Drop, Entry, Fence, LockInfo, Publish, Put, State, Status
from provisioner.model.value import Value
from provisioner.state.codec import decode, dumps, encode
from provisioner.state.sealed import Identity, Vault, Wrapped, new_data_key
from provisioner.state.ulid import new_ulid

_APPLICATION = 0x70726F76  # "prov", so that a foreign database is told from ours
_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entries (address TEXT PRIMARY KEY, serial INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE bindings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE owner (token INTEGER NOT NULL, who TEXT, host TEXT, pid INTEGER, since TEXT, doing TEXT);
"""
_OUTPUTS = "outputs"


class SqliteStore:
    """A state in a file. Opening reads nothing; a file that is not a state of ours is refused, never touched."""

    def __init__(self, path: Path, cluster: str, identity: Callable[[], Identity]) -> None:
        self.path = path
        self._cluster = cluster
        self._identity = identity
        self._db: sqlite3.Connection | None = None
        self._vault: Vault | None = None

    @property
    def exists(self) -> bool:
        """Whether there is a state; an empty file is none."""
        return self.path.exists() and self.path.stat().st_size > 0

    def create(self) -> None:
        """Makes an empty state with a data key of its own, if there is none; needs an identity.

        It is made beside its place and then put there whole, so a creation that is cut off leaves no state.
        """
        if self.exists:
            return
        with self._writing():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            draft = self.path.with_name(f".{self.path.name}.{new_ulid()}.new")
            try:
                self._draw_up(draft)
                os.link(draft, self.path)  # fails if another process was quicker: then its state stands
            except FileExistsError:
                if not self.exists:
                    draft.replace(self.path)
            finally:
                draft.unlink(missing_ok=True)
            _sync(self.path.parent)

    def _draw_up(self, draft: Path) -> None:
        wrapped = new_data_key((self._identity().recipient(),))
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        db = sqlite3.connect(draft, isolation_level=None)
        try:
            db.execute("BEGIN EXCLUSIVE")
            for statement in _TABLES.strip().split("\n"):
                db.execute(statement)
            meta = {
                "cluster": self._cluster,
                "lineage": new_ulid(),
                "serial": "0",
                "data_key": wrapped.text,
                "recipients": " ".join(wrapped.recipients),
            }
            db.executemany("INSERT INTO meta VALUES (?, ?)", list(meta.items()))
            db.execute("INSERT INTO owner (token) VALUES (0)")
            db.execute(f"PRAGMA application_id = {_APPLICATION}")
            db.execute(f"PRAGMA user_version = {FORMAT}")
            db.execute("COMMIT")
        finally:
            db.close()

    def vault(self) -> Vault:
        """What seals and opens this state's secrets."""
        if self._vault is None:
            meta = self._meta()
            wrapped = Wrapped(meta["data_key"], tuple(meta["recipients"].split()))
            self._vault = Vault(wrapped, self._identity, meta["lineage"])
        return self._vault

    def load(self) -> State:
        """The newest snapshot; an empty one of no lineage where there is no state yet."""
        if not self.exists:
            return State(self._cluster, lineage="", serial=0)
        db, vault = self._open(), self.vault()
        try:
            db.execute("BEGIN")
            meta = self._meta()
            rows = db.execute("SELECT address, serial, body FROM entries ORDER BY address").fetchall()
            bindings = dict(db.execute("SELECT name, value FROM bindings").fetchall())
        except sqlite3.DatabaseError as err:
            raise StateError(
                "the state is damaged",
                detail=f"{self.path}: SQLite says: {err}; it is left as it is",
                remedy="restore the state from a backup",
            ) from None
        finally:
            if db.in_transaction:
                db.execute("COMMIT")
        entries = {}
        for text, serial, body in rows:
            entry = _entry(Address.parse(text), serial, json.loads(body), vault)
            entries[entry.address] = entry
        outputs = decode(json.loads(meta.get(_OUTPUTS, "{}")), vault, _OUTPUTS)
        assert isinstance(outputs, dict)
        return State(meta["cluster"], meta["lineage"], int(meta["serial"]), entries, {}, bindings, outputs)

    def commit(self, changes: Sequence[Change], fence: Fence) -> int:
        """All changes or none, on disk when this returns; the new serial."""
        db, vault = self._open(), self.vault()
        with self._writing():
            return self._commit(db, vault, changes, fence)

    def _commit(self, db: sqlite3.Connection, vault: Vault, changes: Sequence[Change], fence: Fence) -> int:
        db.execute("BEGIN IMMEDIATE")
        try:
            (token,) = db.execute("SELECT token FROM owner").fetchone()
            if token != fence.token:
                raise StateMoved(
                    "another run has taken over this state",
                    detail="this run held the lock before; what it began is on record",
                    remedy="look at the plan again with `prov plan`",
                )
            serial = int(self._meta()["serial"]) + 1
            for change in changes:
                _write(db, change, serial, vault)
            db.execute("UPDATE meta SET value = ? WHERE name = 'serial'", (str(serial),))
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:  # SQLite ends it by itself when the disk is full
                db.execute("ROLLBACK")
            raise
        return serial

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Lets what keeps a state from being written, such as a full disk, come out as an error to act on."""
        try:
            yield
        except (OSError, sqlite3.OperationalError) as err:
            raise StateError(
                "the state cannot be written",
                detail=f"{self.path}: {getattr(err, 'strerror', None) or err}",
                remedy="see that its folder can be written and has room, then run the same command again",
            ) from None

    @contextmanager
    def lock(self, info: LockInfo) -> Iterator[Fence]:
        """The exclusive right to write, until the block ends or the process does."""
        with self._writing():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(f"{self.path}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise self._locked() from None
            self.create()
            self._meta()  # refuses the state of another cluster before the first write
            db = self._open()
            with self._writing():
                db.execute(
                    "UPDATE owner SET token = token + 1, who = ?, host = ?, pid = ?, since = ?, doing = ?",
                    (info.who, info.host, info.pid, info.since, info.doing),
                )
            yield Fence(db.execute("SELECT token FROM owner").fetchone()[0])
        finally:
            os.close(handle)

    def close(self) -> None:
        """Lets go of the file."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _locked(self) -> StateLocked:
        detail = "it has only just begun"
        if self.exists:
            row = self._open().execute("SELECT who, host, pid, since, doing FROM owner").fetchone()
            if row is not None and row[0]:
                holder = LockInfo(*row)
                detail = (
                    f"`prov {holder.doing}` by {holder.who} on {holder.host} (process {holder.pid}) "
                    f"since {holder.since}"
                )
        return StateLocked(
            "another run is at work on this state",
            detail=detail,
            remedy="wait until it is done, or stop it with Ctrl-C; the lock goes with the process",
        )

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            self._check_head()
            self._db = self._checked(sqlite3.connect(self.path, isolation_level=None, timeout=30))
        return self._db

    def _check_head(self) -> None:
        """Reads the head of the file itself: SQLite would tidy up a database, also one that is not ours."""
        try:
            with self.path.open("rb") as file:
                head = file.read(100)
        except OSError as err:
            raise self._foreign(str(err.strerror)) from None
        if not head.startswith(b"SQLite format 3\0"):
            raise self._foreign("it is no database")
        if int.from_bytes(head[68:72]) != _APPLICATION:
            raise self._foreign("it is a database of another program")

    def _checked(self, db: sqlite3.Connection) -> sqlite3.Connection:
        try:
            with self._writing():  # SQLite may have to finish an interrupted commit before it can read
                (version,) = db.execute("PRAGMA user_version").fetchone()
        except sqlite3.DatabaseError as err:
            db.close()
            raise self._foreign(f"SQLite says: {err}") from None
        if version != FORMAT:
            db.close()
            raise StateError(
                "this state was written by another version of prov",
                detail=f"{self.path} has format {version}, this prov reads format {FORMAT}",
                remedy="use the version of prov that wrote it",
            )
        with self._writing():
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
        return db

    def _foreign(self, why: str) -> StateError:
        return StateError(
            "this file is not a state of prov",
            detail=f"{self.path}: {why}; it is left as it is",
            remedy="name another file with --state, or restore the state from a backup",
        )

    def _meta(self) -> dict[str, str]:
        meta = dict(self._open().execute("SELECT name, value FROM meta").fetchall())
        if meta["cluster"] != self._cluster:
            raise StateError(
                "this state belongs to another cluster",
                detail=f"{self.path} is the state of {meta['cluster']!r}, the file describes {self._cluster!r}",
                remedy="name another file with --state, or correct `name:` in the cluster file",
            )
        return meta


def _sync(folder: Path) -> None:
    """Makes what was put into a folder last, also through a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_PLAIN = ("generation", "provider", "key", "status", "id", "phase", "memo", "protect", "how", "error")
_VALUES = ("intended", "applied", "outputs")


def _write(db: sqlite3.Connection, change: Change, serial: int, vault: Vault) -> None:
    match change:
        case Put(entry):
            row = (str(entry.address), serial, dumps(_body(entry, vault)))
            db.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", row)
        case Drop(address, _):
            db.execute("DELETE FROM entries WHERE address = ?", (str(address),))
        case Bind(name, value):
            db.execute("INSERT OR REPLACE INTO bindings VALUES (?, ?)", (name, value))
        case Publish(outputs):
            line = (_OUTPUTS, dumps(encode(outputs, vault, _OUTPUTS)))
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", line)


def _body(entry: Entry, vault: Vault) -> dict[str, Any]:
    plain = asdict(entry, recurse=False, filter=lambda attribute, _: attribute.name in _PLAIN)
    values = {name: encode(getattr(entry, name), vault, entry.key) for name in _VALUES}
    return {**plain, **values, "depends_on": [str(address) for address in entry.depends_on]}


def _entry(address: Address, serial: int, body: dict[str, Any], vault: Vault) -> Entry:
    values: dict[str, Value] = {name: decode(body[name], vault, body["key"]) for name in _VALUES}
    plain = {name: body[name] for name in _PLAIN}
    plain["status"] = Status(plain["status"])
    depends_on = tuple(Address.parse(text) for text in body["depends_on"])
    return Entry(address=address, serial=serial, depends_on=depends_on, **plain, **values)  # type: ignore[arg-type]
