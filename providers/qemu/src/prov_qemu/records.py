"""What exists, as records on disk: an object is there when its folder has a record, and its record says whose it is.

The record is written in one piece before anything is begun that could be left over, and it goes last. So a process
that is killed anywhere leaves nothing that the next one does not find.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import evolve, field, frozen

from prov_qemu.place import Place

RECORD: Final = "record.json"


class Taken(Exception):
    """There is another object of this name."""


@frozen
class Record:
    """One object.

    key, lineage  the ownership key, and the state it belongs to
    props         as it was asked for, without secrets
    facts         what was decided when it was made, such as an address
    """

    kind: str
    cluster: str
    name: str
    key: str
    lineage: str
    props: Mapping[str, Any]
    facts: Mapping[str, Any] = field(factory=dict)

    @property
    def id(self) -> str:
        """Unique for good: an object that is made anew has another one."""
        return f"{self.cluster}/{self.name}-{self.key[-8:].lower()}"

    def fact(self, name: str) -> str:
        return str(self.facts.get(name, ""))


class Records:
    """The records below a place. Every method is one look or one change; changes are whole or not there.

    `witness` is told of each, "look" or "change", before it happens.
    """

    def __init__(self, place: Place, witness: Callable[[str], None]) -> None:
        self.place = place
        self._witness = witness

    def all(self, kind: str) -> list[Record]:
        """All objects of a kind, of every cluster."""
        self._witness("look")
        found = (_read(path) for path in sorted(self.place.data.glob(f"*/{kind}/*/{RECORD}")))
        return [record for record in found if record is not None]

    def folder(self, record: Record) -> Path:
        return self.place.folder(record.kind, record.cluster, record.name)

    def find(self, kind: str, cluster: str, name: str) -> Record | None:
        """The object of a name, whoever it belongs to."""
        self._witness("look")
        return _read(self.place.folder(kind, cluster, name) / RECORD)

    def take(self, record: Record, decide: Callable[[Record], Record] = lambda record: record) -> Record:
        """Puts an object on record; the one there is where it bears the same key. Raises Taken, OSError.

        `decide` adds facts to a new one while nobody else decides anything.
        """
        path = self.folder(record) / RECORD
        with self._locked():
            there = _read(path)
            if there is None:
                decided = decide(record)
                self._write(path, decided)
                return decided
        if (there.key, there.lineage) != (record.key, record.lineage):
            raise Taken(f"{there.kind} {there.cluster}/{there.name} is there already, made by another run or state")
        return there

    def change(self, record: Record, **facts: Any) -> Record:
        """Adds facts to a record."""
        return self.write(evolve(record, facts={**record.facts, **facts}))

    def write(self, record: Record) -> Record:
        """Writes a record; one that is as it was is left alone."""
        path = self.folder(record) / RECORD
        if path.read_bytes() != _text(record):
            self._write(path, record)
        return record

    def remove(self, record: Record) -> None:
        """Removes an object with all that is in its folder, the record last."""
        self._witness("change")
        folder = self.folder(record)
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.name != RECORD:
                _remove(path)
        (folder / RECORD).unlink(missing_ok=True)
        for empty in (folder, folder.parent, folder.parent.parent):
            with contextlib.suppress(OSError):
                empty.rmdir()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """The time in which no other process of this user decides something, such as which address is free."""
        self.place.data.mkdir(parents=True, exist_ok=True)
        os.chmod(self.place.data, 0o700)  # configurations are secret
        handle = os.open(self.place.data / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _write(self, path: Path, record: Record) -> None:
        self._witness("change")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, _text(record))


def of_job(records: Sequence[Record], key: str, id_: str | None, lineage: str) -> Record | None:
    """The object of a job: of its key, else of its id where it belongs to the same state."""
    by_key = next((record for record in records if record.key == key), None)
    return by_key or next((record for record in records if (record.id, record.lineage) == (id_, lineage)), None)


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file of ours only, as a whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def _read(path: Path) -> Record | None:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    folder = path.parent
    return Record(
        kind=folder.parent.name,
        cluster=folder.parent.parent.name,
        name=folder.name,
        key=found["key"],
        lineage=found["lineage"],
        props=found["props"],
        facts=found["facts"],
    )


def _text(record: Record) -> bytes:
    shown = {"key": record.key, "lineage": record.lineage, "props": record.props, "facts": record.facts}
    return json.dumps(shown, indent=2, sort_keys=True).encode()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
