"""Compressed files, unpacked without ever holding them in memory."""

from __future__ import annotations

import gzip
import lzma
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_PIECE = 1 << 16
_ZEROS = bytes(_PIECE)
_ENDINGS = (".xz", ".zst", ".gz")


def unpacked_name(name: str) -> str:
    """What a file is called once it is unpacked; the same name where nothing is compressed.

    An archive with files inside (`.tar.gz`) stays what it is: those who ask for one want it whole.
    """
    if name.endswith(".tar.gz"):
        return name
    return next((name.removesuffix(ending) for ending in _ENDINGS if name.endswith(ending)), name)


def unpack(packed: Path, into: Path) -> None:
    """Writes what a compressed file holds to `into`; runs of zeros take no space where the file system can do that.

    Raises ValueError for a file that is damaged or not complete.
    """
    with packed.open("rb") as source, into.open("wb") as out:
        for piece in _pieces(packed.name, source):
            if piece == _ZEROS:
                out.seek(len(piece), os.SEEK_CUR)
            else:
                out.write(piece)
        out.truncate(out.tell())
        out.flush()
        os.fsync(out.fileno())


def _pieces(name: str, source: BinaryIO) -> Iterator[bytes]:
    try:
        yield from _zstd(source) if name.endswith(".zst") else _common(name, source)
    except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error):
        raise ValueError("it is damaged or not complete") from None


def _common(name: str, source: BinaryIO) -> Iterator[bytes]:
    with lzma.open(source) if name.endswith(".xz") else gzip.open(source) as stream:
        while piece := stream.read(_PIECE):
            yield piece


def _zstd(source: BinaryIO) -> Iterator[bytes]:
    import zstandard  # loaded here because few files need it

    part, held = zstandard.ZstdDecompressor().decompressobj(), b""
    try:
        while packed := source.read(_PIECE):
            if part.eof:  # another frame begins
                part = zstandard.ZstdDecompressor().decompressobj()
            held += part.decompress(packed)
            source.seek(-len(part.unused_data), os.SEEK_CUR)
            whole = len(held) - len(held) % _PIECE
            yield from (held[at : at + _PIECE] for at in range(0, whole, _PIECE))
            held = held[whole:]
    except zstandard.ZstdError:
        raise EOFError from None
    if not part.eof:
        raise EOFError
    yield held
