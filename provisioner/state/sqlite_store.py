"""The embedded state store: one SQLite file, one row per object.

A commit is one durable transaction (WAL, full sync) that writes the rows it changes. The right to write is an
OS file lock beside the database, which the kernel frees however the process ends, and a row that tells who
holds it. Each grant raises the fencing token; a commit with an older token is refused inside its transaction.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
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
from provisioner.model.state import FORMAT, Change, Entry, Fence, LockInfo, RunRecord, State
from provisioner.state.codec import decode
from provisioner.state.database import bring_up, open_to_read, open_to_write, reading, writing
from provisioner.state.rows import as_data, entries
from provisioner.state.sealed import Identity, Shut, Vault, Wrapped, new_data_key, wrapped_anew
from provisioner.state.tables import OUTPUTS, draw_up, read_rows, read_runs, reseal, write
from provisioner.state.ulid import new_ulid


class SqliteStore:
    """A state in a file. Opening reads nothing; a file that is not a state of ours is refused, never touched.

    A state of an older format is migrated when it is locked; until then it is read as if it had been. `cluster` is
    whose state it must be; None takes the state of any cluster, but makes none. `identity` is asked for when a secret
    is met, `for_new` when a state is made.
    """

    def __init__(
        self,
        path: Path,
        cluster: str | None,
        identity: Callable[[], Identity],
        for_new: Callable[[], Identity] | None = None,
    ) -> None:
        self.path = path
        self._cluster = cluster
        self._identity = identity
        self._for_new = for_new or identity
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._writable = False
        self._vault: Vault | None = None

    @property
    def exists(self) -> bool:
        """Whether there is a state; an empty file is none."""
        return self.path.exists() and self.path.stat().st_size > 0

    def must_exist(self) -> None:
        """Raises StateError where there is no state yet."""
        if not self.exists:
            raise StateError(
                "there is no state here",
                detail=str(self.path),
                remedy="the first `prov apply` makes it; name another file with --state",
            )

    def create(self) -> None:
        """Makes an empty state with a data key of its own, if there is none; needs an identity.

        It is made beside its place and then put there whole, so a creation that is cut off leaves no state.
        """
        if self.exists:
            return
        if self._cluster is None:
            self.must_exist()
        with writing(self.path):
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
        wrapped = new_data_key((self._for_new().recipient(),))
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        db = sqlite3.connect(draft, isolation_level=None)
        meta = {
            "cluster": self._cluster or "",
            "lineage": new_ulid(),
            "serial": "0",
            "data_key": wrapped.text,
            "recipients": " ".join(wrapped.recipients),
        }
        try:
            draw_up(db, meta)
        finally:
            db.close()

    def vault(self) -> Vault:
        """What seals and opens this state's secrets."""
        if self._vault is None:
            with reading(self.path):
                self._vault = self._vault_of(self._meta())
        return self._vault

    def derive(self, purpose: str) -> str:
        """See `StateStore`; needs an identity."""
        return self.vault().derive(purpose)

    def load(self, *, shut: bool = False) -> State:
        """The newest snapshot; an empty one of no lineage where there is no state yet.

        With `shut` it needs no identity, and its secrets are `Sealed`.
        """
        if not self.exists:
            return State(self._cluster or "", lineage="", serial=0)
        self._renew()
        db = self._open()
        with reading(self.path), _snapshot(db), _no_garbage():
            meta = self._meta()
            vault = Shut() if shut else self._vault_of(meta)
            current: dict[Address, Entry] = {}
            deposed: dict[tuple[Address, int], Entry] = {}
            for entry in entries(read_rows(db), vault):
                if entry.deposed:
                    deposed[entry.address, entry.generation] = entry
                else:
                    current[entry.address] = entry
            bindings = dict(db.execute("SELECT name, value FROM bindings").fetchall())
            outputs = decode(json.loads(meta.get(OUTPUTS, "{}")), vault, OUTPUTS)
            assert isinstance(outputs, dict)
            return State(meta["cluster"], meta["lineage"], int(meta["serial"]), current, deposed, bindings, outputs)

    def runs(self) -> tuple[RunRecord, ...]:
        """The history, newest first; the oldest of very many are forgotten."""
        if not self.exists:
            return ()
        db = self._open()
        with reading(self.path), _snapshot(db):
            self._meta()
            return tuple(read_runs(db))

    def pull(self) -> dict[str, Any]:
        """All there is as plain data, what is sealed as it lies there; with the wrapped key nothing is left out."""
        self.must_exist()
        db = self._open()
        with reading(self.path), _snapshot(db):
            meta = self._meta()
            return {
                "prov_state": FORMAT,
                **{name: meta[name] for name in ("cluster", "lineage")},
                "serial": int(meta["serial"]),
                "data_key": {"wrapped": meta["data_key"], "recipients": meta["recipients"].split()},
                "entries": [as_data(row) for row in read_rows(db)],
                "bindings": dict(db.execute("SELECT name, value FROM bindings ORDER BY name").fetchall()),
                "outputs": json.loads(meta.get(OUTPUTS, "{}")),
                "runs": [asdict(run) for run in read_runs(db)],
            }

    def commit(self, changes: Sequence[Change], fence: Fence) -> int:
        """All changes or none, on disk when this returns; the new serial."""
        vault = self.vault()
        with self._committing(fence) as (db, serial):
            write(db, changes, serial, vault)
        return serial

    def share(self, recipients: Sequence[str], fence: Fence) -> None:
        """Wraps the data key for these recipients; who could open it before may still know it."""
        wrapped = wrapped_anew(self.vault().wrapped, self._identity(), recipients)
        with self._committing(fence) as (db, _):
            self._put_key(db, wrapped)
        self._vault = None

    def reseal(self, recipients: Sequence[str], fence: Fence) -> None:
        """A new data key, for these recipients only, and every secret sealed with it; all or nothing."""
        old, wrapped = self.vault(), new_data_key(recipients)
        new = Vault(wrapped, self._identity, old.lineage)
        with self._committing(fence) as (db, _):
            db.execute("PRAGMA secure_delete = ON")  # what the old key opens shall not lie about in free pages
            reseal(db, old, new)
            self._put_key(db, wrapped)
        self._vault = None
        with contextlib.suppress(sqlite3.Error):  # it would be done some time anyway
            self._open().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _committing(self, fence: Fence) -> Iterator[tuple[sqlite3.Connection, int]]:
        """A transaction for who holds the newest fence, with the serial it makes."""
        if not self._writable:
            raise _overtaken()
        db = self._open()
        with writing(self.path), _transaction(db):
            (token,) = db.execute("SELECT token FROM owner").fetchone()
            if token != fence.token:
                raise _overtaken()
            (before,) = db.execute("SELECT value FROM meta WHERE name = 'serial'").fetchone()
            serial = int(before) + 1
            yield db, serial
            db.execute("UPDATE meta SET value = ? WHERE name = 'serial'", (str(serial),))

    def _put_key(self, db: sqlite3.Connection, wrapped: Wrapped) -> None:
        rows = [("data_key", wrapped.text), ("recipients", " ".join(wrapped.recipients))]
        db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)

    @contextmanager
    def lock(self, info: LockInfo) -> Iterator[Fence]:
        """The exclusive right to write, until the block ends or the process does."""
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(f"{self.path}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            self._flock(handle)
            self.create()
            fence = self._take_over(info)
            try:
                yield fence
            finally:
                self._let_go(fence)
        finally:
            os.close(handle)

    def refuse_if_held(self) -> None:
        """Raises StateLocked, naming the holder, while some process has the lock."""
        with contextlib.suppress(FileNotFoundError), open(f"{self.path}.lock") as file:
            self._flock(file.fileno())

    def _flock(self, handle: int) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise self._locked() from None

    def _take_over(self, info: LockInfo) -> Fence:
        """Opens the state for writing and puts `info` down as its owner."""
        if not self._writable:
            self.close()
            self._db = open_to_write(self.path)
            self._writable = True
        db = self._open()
        with reading(self.path):
            self._meta()  # refuses the state of another cluster before the first write
        bring_up(db, self.path)
        self._vault = None  # the key may have been changed since
        with writing(self.path), _transaction(db):
            db.execute(
                "UPDATE owner SET token = token + 1, who = ?, host = ?, pid = ?, since = ?, doing = ?",
                (info.who, info.host, info.pid, info.since, info.doing),
            )
            (token,) = db.execute("SELECT token FROM owner").fetchone()
        return Fence(token)

    def _let_go(self, fence: Fence) -> None:
        """Takes the owner's name off the state; one that stays tells of a run that was cut off."""
        with contextlib.suppress(sqlite3.Error):  # what was to be kept is kept; the lock ends with its file
            self._open().execute("UPDATE owner SET who = NULL WHERE token = ?", (fence.token,))

    def holder(self) -> LockInfo | None:
        """Who holds the lock, or held it when it was cut off."""
        if not self.exists:
            return None
        with reading(self.path):
            self._meta()
            row = self._open().execute("SELECT who, host, pid, since, doing FROM owner").fetchone()
        return LockInfo(*row) if row[0] else None

    def close(self) -> None:
        """Lets go of the file."""
        if self._db is not None:
            self._db.close()
        self._db, self._vault, self._writable = None, None, False

    def _locked(self) -> StateLocked:
        holder = self.holder()
        return StateLocked(
            "another run is at work on this state",
            detail=str(holder) if holder else "it has not said yet who it is",
            remedy="wait until it is done, or stop it with Ctrl-C; the lock goes with the process",
        )

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            self._file = _number(self.path)
            self._db = open_to_read(self.path)
        return self._db

    def _renew(self) -> None:
        """Lets go of a file that another one has taken the place of, such as a newer copy; who writes keeps it."""
        if self._db is not None and not self._writable and self._file != _number(self.path):
            self.close()

    def _meta(self) -> dict[str, str]:
        meta = dict(self._open().execute("SELECT name, value FROM meta").fetchall())
        if self._cluster is not None and meta["cluster"] != self._cluster:
            raise StateError(
                "this state belongs to another cluster",
                detail=f"{self.path} is the state of {meta['cluster']!r}, the file describes {self._cluster!r}",
                remedy="name another file with --state, or correct `name:` in the cluster file",
            )
        return meta

    def _vault_of(self, meta: dict[str, str]) -> Vault:
        """The vault for what is on record; the same as before unless the data key has changed."""
        wrapped = Wrapped(meta["data_key"], tuple(meta["recipients"].split()))
        if self._vault is None or self._vault.wrapped != wrapped:
            self._vault = Vault(wrapped, self._identity, meta["lineage"])
        return self._vault


@contextmanager
def _snapshot(db: sqlite3.Connection) -> Iterator[None]:
    """What is read inside is of one moment."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        if db.in_transaction:
            db.execute("COMMIT")


@contextmanager
def _no_garbage() -> Iterator[None]:
    """While very many objects are made that all stay, looking for garbage among them takes a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All that is written inside, or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # SQLite ends it by itself when the disk is full
            db.execute("ROLLBACK")
        raise


def _overtaken() -> StateMoved:
    return StateMoved(
        "another run has taken over this state",
        detail="this run held the lock before; what it began is on record",
        remedy="look at the plan again with `prov plan`",
    )


def _number(path: Path) -> tuple[int, int]:
    """Which file stands at a path."""
    found = path.stat()
    return found.st_dev, found.st_ino


def _sync(folder: Path) -> None:
    """Makes what was put into a folder last, also through a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
