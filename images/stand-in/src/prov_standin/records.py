"""A partition as a tiny store: one JSON value, replaced whole or not at all.

Two copies take turns; each has a number and a checksum, and the newest that is whole counts.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from typing import Any, Final

_MAGIC: Final = b"PROVSTND"
_HEAD: Final = struct.Struct("<8sQI32s")


class Record:
    """The value in a partition (or a file of some size); None where nothing was ever written."""

    def __init__(self, path: str) -> None:
        self._path = path

    def read(self) -> Any:
        """The value; raises OSError."""
        found = self._newest()
        return json.loads(found[1]) if found is not None else None

    def write(self, value: Any) -> None:
        """Replaces the value for good; raises OSError, or ValueError where it is too large."""
        data = json.dumps(value, separators=(",", ":")).encode()
        newest = self._newest()
        number = newest[0] + 1 if newest is not None else 1
        with open(self._path, "r+b", buffering=0) as handle:
            half = handle.seek(0, os.SEEK_END) // 2 // 4096 * 4096
            if len(data) + _HEAD.size > half:
                raise ValueError(f"{len(data)} bytes do not fit in {self._path}")
            handle.seek(number % 2 * half)
            handle.write(_HEAD.pack(_MAGIC, number, len(data), hashlib.sha256(data).digest()) + data)
            os.fsync(handle.fileno())

    def wipe(self) -> None:
        """Removes the value for good; raises OSError."""
        with open(self._path, "r+b", buffering=0) as handle:
            half = handle.seek(0, os.SEEK_END) // 2 // 4096 * 4096
            for place in (0, half):
                handle.seek(place)
                handle.write(bytes(4096))
            os.fsync(handle.fileno())

    def _newest(self) -> tuple[int, bytes] | None:
        with open(self._path, "rb", buffering=0) as handle:
            half = handle.seek(0, os.SEEK_END) // 2 // 4096 * 4096
            found = [copy for copy in (_copy(handle, place, half) for place in (0, half)) if copy is not None]
        return max(found, default=None)


def _copy(handle: Any, place: int, most: int) -> tuple[int, bytes] | None:
    handle.seek(place)
    head = handle.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    magic, number, length, digest = _HEAD.unpack(head)
    if magic != _MAGIC or length > most:
        return None
    data = _read(handle, length)
    return (number, data) if hashlib.sha256(data).digest() == digest else None


def _read(handle: Any, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length and (part := handle.read(length - len(parts))):
        parts += part
    return bytes(parts)
