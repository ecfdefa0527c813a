"""Bytes that are served, whole or in pieces, wherever they lie."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from attrs import define, field


@define
class Blob:
    """Bytes in an open file, which may have no name, or in memory. Reading is safe from any thread."""

    size: int
    _data: bytes = b""
    _file: IO[bytes] | None = None
    _closed: bool = field(init=False, default=False)

    @classmethod
    def of(cls, data: bytes) -> Blob:
        return cls(len(data), data)

    @classmethod
    def in_file(cls, file: IO[bytes]) -> Blob:
        """The file is closed with the blob."""
        return cls(os.fstat(file.fileno()).st_size, b"", file)

    @classmethod
    def at(cls, path: Path) -> Blob:
        """Raises OSError."""
        return cls.in_file(path.open("rb"))

    def read(self, first: int, length: int) -> bytes:
        """Up to so many bytes from there; nothing once it is closed."""
        if self._closed:
            return b""
        if self._file is None:
            return self._data[first : first + length]
        try:
            return os.pread(self._file.fileno(), length, first)
        except (OSError, ValueError):  # closed while somebody was at it
            return b""

    def close(self) -> None:
        self._closed = True
        if self._file is not None:
            self._file.close()
