"""Finds secrets in bytes, however they may be dressed.

Looked for are the raw bytes, base64 (both alphabets, all three alignments), hex (both cases), URL encoding, and
the escapes of JSON and Python. What is looked through are the bytes as they are, without white space and escaped
line ends, and whatever comes out of unpacking what looks like gzip, zlib, base64 or hex in them, four layers deep.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from urllib.parse import quote

DEPTH = 4
"""Layers of packing that are taken off."""
_SHORTEST = 8
"""A canary of fewer bytes would be found everywhere."""
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){16,}")
_PACKED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_BLANK = re.compile(rb"(?:\s|\\n|\\r)+")
_LIMIT = 16 << 20


def find(canaries: Mapping[str, bytes], blobs: Mapping[str, bytes]) -> list[str]:
    """One sentence per canary and blob it was found in, with the dress it wore."""
    needles = {name: forms(canary) for name, canary in canaries.items()}
    return [
        f"{name} in {where}, {dress}"
        for where, blob in sorted(blobs.items())
        for name, dress in sorted(_found(needles, blob))
    ]


def _found(needles: Mapping[str, Mapping[str, bytes]], blob: bytes) -> set[tuple[str, str]]:
    return {
        (name, f"{dress}{wrapping}")
        for wrapping, view in views(blob)
        for name, dresses in needles.items()
        for dress, needle in dresses.items()
        if needle in view
    }


def forms(canary: bytes) -> dict[str, bytes]:
    """What a canary looks like, by the name of the dress; only forms that are long enough to be sure."""
    assert len(canary) >= _SHORTEST, "too short to be told from chance"
    found = {"raw": canary, "hex": canary.hex().encode(), "HEX": canary.hex().upper().encode()}
    for shift in range(3):
        found[f"base64+{shift}"] = inner = _aligned(canary, shift)
        found[f"base64url+{shift}"] = inner.replace(b"+", b"-").replace(b"/", b"_")
    found["percent"] = "".join(f"%{byte:02X}" for byte in canary).encode()
    found["percent, lower"] = found["percent"].lower()
    try:
        text = canary.decode()
    except UnicodeDecodeError:
        return found
    found["URL"] = quote(text, safe="").encode()
    found["URL, slashes kept"] = quote(text).encode()
    found["JSON"] = json.dumps(text)[1:-1].encode()
    found["JSON, not ASCII"] = json.dumps(text, ensure_ascii=False)[1:-1].encode()
    found["JSON twice"] = json.dumps(json.dumps(text))[3:-3].encode()
    found["Python"] = repr(text)[1:-1].encode()
    return found


def views(blob: bytes, depth: int = DEPTH) -> Iterator[tuple[str, bytes]]:
    """The blob and what is packed in it, each with how it came out."""
    seen: set[bytes] = set()
    layer = [("", blob)]
    for _ in range(depth):
        deeper: list[tuple[str, bytes]] = []
        for how, view in layer:
            yield how, view
            joined = _BLANK.sub(b"", view)
            if joined != view:
                yield f"{how}, joined", joined
            for what, inner in [*_unpacked(view), *_unpacked(joined)]:
                if inner not in seen:
                    seen.add(inner)
                    deeper.append((f"{how} in {what}", inner))
        layer = deeper


def _unpacked(view: bytes) -> Iterator[tuple[str, bytes]]:
    for match in _PACKED.finditer(view):
        inner = _inflated(view[match.start() :])
        if inner:
            yield "gzip or zlib", inner
    for match in _BASE64.finditer(view):
        for shift in range(4):
            inner = _decoded(match[0][shift:])
            if inner:
                yield "base64", inner
    for match in _HEX.finditer(view):
        yield "hex", bytes.fromhex(match[0].decode())


def _inflated(packed: bytes) -> bytes:
    """As much as can be unpacked: a leak may be cut off."""
    engine = zlib.decompressobj(wbits=47)
    try:
        return engine.decompress(packed, _LIMIT)
    except zlib.error:
        return b""


@cache
def _decoded(text: bytes) -> bytes:
    """Of base64 in either alphabet, padded or not."""
    plain = text.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    whole = plain[: len(plain) - (len(plain) % 4 == 1)]
    return base64.b64decode(whole + b"=" * (-len(whole) % 4))


def _aligned(canary: bytes, shift: int) -> bytes:
    """The characters of base64 that depend on the canary alone, when `shift` bytes of a group stand before it."""
    coded = base64.b64encode(bytes(shift) + canary)
    first = (0, 2, 3)[shift]
    last = (len(canary) + shift) * 8 // 6
    return coded[first:last]
