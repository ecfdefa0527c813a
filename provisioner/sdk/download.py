"""Large files from elsewhere, kept in a folder so that each is fetched once.

    HOST/PATH               a file as it was served
    HOST/PATH without .xz   the same, unpacked
    checksums.sha256        what each had when it first came

A file stands under its name once it is complete and its checksum right, and not before. The checksum is the one
that is asked for, else the one it had the first time: whoever exchanges a file later is noticed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from attrs import frozen

from provisioner.errors import Fatal, OperatorNeeded, Retry
from provisioner.sdk.checksums import digest_of, pin, pinned
from provisioner.sdk.transfer import Tell, shown, transfer
from provisioner.sdk.unpack import unpack, unpacked_name


@frozen
class Fetched:
    """A file that is here. `sha256` and `size` (in bytes) are those of the file as it was served."""

    path: Path
    sha256: str
    size: int


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where downloads are kept: `PROV_CACHE`, else `prov` in the user's folder for such things."""
    if named := environ.get("PROV_CACHE"):
        return Path(named)
    base = environ.get("XDG_CACHE_HOME") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".cache")
    return Path(base) / "prov"


def _silent(done: int, total: int) -> None:
    pass


@frozen
class Downloads:
    """The files of one folder, which several processes may use at the same time."""

    folder: Path
    pause: Callable[[float], None] = time.sleep

    def fetch(self, url: str, *, sha256: str = "", tell: Tell = _silent) -> Fetched:
        """The file behind an HTTP or `file:` URL, as it is served.

        Goes on where an earlier call was cut off. Blocks for as long as it takes, so a verb hands it to
        `Context.task`. Raises ProviderError: Retry where another try may help, OperatorNeeded for a file with
        another checksum than asked for or than it had before.
        """
        target = self.place(url)
        self._make(target.parent)
        with _alone(target):
            return self._fetch(url, target, sha256.lower(), tell)

    def unpacked(self, url: str, *, sha256: str = "", tell: Tell = _silent) -> Fetched:
        """Like `fetch`, with a file that ends in .xz, .zst or .gz unpacked; .tar.gz stays as it is."""
        target = self.place(url)
        self._make(target.parent)
        with _alone(target):
            served = self._fetch(url, target, sha256.lower(), tell)
            plain = target.with_name(unpacked_name(target.name))
            if plain != target and not _newer(plain, target):
                self._unpack(url, target, plain)
            _used(plain)
            return Fetched(plain, served.sha256, served.size)

    def place(self, url: str) -> Path:
        """Where the file behind a URL is kept, whether it is there or not."""
        return self.folder / _below(url)

    def forget(self, path: str) -> None:
        """Takes a file off the list of checksums, by its path below the folder."""
        if path in pinned(self.folder):
            with _alone(self.folder / "checksums"):
                pin(self.folder, path, "")

    def _fetch(self, url: str, target: Path, asked: str, tell: Tell) -> Fetched:
        name = target.relative_to(self.folder).as_posix()
        expected = asked or pinned(self.folder).get(name, "")
        if target.exists() and (found := digest_of(target)) == (expected or found):
            self._pin(name, found)
            _used(target)
            return Fetched(target, found, target.stat().st_size)
        part = target.with_name(f"{target.name}.part")
        transfer(url, part, tell=tell, pause=self.pause)
        found = digest_of(part)
        if expected not in ("", found):
            part.unlink()
            raise _other(url, expected, found, asked=bool(asked))
        _settle(part, target)
        self._pin(name, found)
        return Fetched(target, found, target.stat().st_size)

    def _unpack(self, url: str, target: Path, plain: Path) -> None:
        part = plain.with_name(f"{plain.name}.part")
        try:
            unpack(target, part)
        except ValueError as err:
            part.unlink()
            target.unlink()
            self.forget(target.relative_to(self.folder).as_posix())
            raise Retry(
                "a download cannot be unpacked",
                detail=f"{shown(url)}: {err}",
                remedy="run the same command again: it is fetched anew",
                after_s=5.0,
            ) from None
        _settle(part, plain)

    def _pin(self, name: str, digest: str) -> None:
        if pinned(self.folder).get(name) != digest:
            with _alone(self.folder / "checksums"):
                pin(self.folder, name, digest)

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as err:
            raise OperatorNeeded(
                "the folder for downloads cannot be made",
                detail=f"{folder}: {err.strerror}",
                remedy="name another one in PROV_CACHE",
            ) from None


def _below(url: str) -> str:
    """`host/path` of a URL; a query becomes a few digits of its hash, for it may hold a secret."""
    parts = urlsplit(url)
    steps = [step for step in unquote(parts.path).split("/") if step not in ("", ".", "..")]
    if parts.scheme not in ("http", "https", "file") or not steps or (parts.scheme != "file" and not parts.hostname):
        raise Fatal(
            "this is no address of a file",
            detail=shown(url),
            remedy="write one that begins with https://, http:// or file://",
            effect=False,
        )
    host = "file" if parts.scheme == "file" else parts.netloc.rpartition("@")[2]
    if parts.query:
        steps.insert(-1, hashlib.sha256(parts.query.encode()).hexdigest()[:12])
    return "/".join((quote(host, safe=""), *steps))


def _used(path: Path) -> None:
    """Notes the time of use, which the file system may not do by itself."""
    os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))


def _newer(plain: Path, target: Path) -> bool:
    return plain.exists() and plain.stat().st_mtime_ns >= target.stat().st_mtime_ns


def _settle(part: Path, final: Path) -> None:
    """Gives a complete file its name, once it is on the disk."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(final)


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Keeps other threads and processes from the same file; the lock goes with the process."""
    with target.with_name(f".{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _other(url: str, expected: str, found: str, *, asked: bool) -> OperatorNeeded:
    before = "it should have" if asked else "it had when it was first fetched"
    return OperatorNeeded(
        "a download has another checksum than expected",
        detail=f"{shown(url)}: SHA-256 {found}; {before} {expected}",
        remedy="find out who changed it"
        if asked
        else "find out who changed it; `prov images prune --forget` takes the file as it is now",
    )
