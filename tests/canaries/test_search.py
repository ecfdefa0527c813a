"""The search finds a planted secret in every dress, and nothing where there is nothing."""

from __future__ import annotations

import base64
import gzip
import json
import random
import urllib.parse
import zlib
from collections.abc import Callable

import pytest
from canaries.search import find

CANARY = b'canary/7h3+yellow one "sings"?\n& more \xc3\xa4'
KEY = random.Random(5).randbytes(32)
NOISE = random.Random(6).randbytes(9000)

DRESSES: dict[str, Callable[[bytes], bytes]] = {
    "raw": bytes,
    "base64": base64.b64encode,
    "base64 url": base64.urlsafe_b64encode,
    "base64 in lines": base64.encodebytes,
    "base64 in escaped lines": lambda secret: json.dumps(base64.encodebytes(secret).decode()).encode(),
    "base64 of base64": lambda secret: base64.b64encode(base64.b64encode(secret)),
    "a key file in base64": lambda secret: base64.b64encode(b"-----BEGIN X-----\n" + base64.encodebytes(secret)),
    "hex": lambda secret: secret.hex().encode(),
    "hex, upper": lambda secret: secret.hex().upper().encode(),
    "percent": lambda secret: "".join(f"%{byte:02x}" for byte in secret).encode(),
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "zlib, fast": lambda secret: zlib.compress(secret, 1),
    "gzip, cut off": lambda secret: gzip.compress(secret + NOISE)[:4000],
    "base64 of gzip": lambda secret: base64.b64encode(gzip.compress(secret)),
    "hex of gzip": lambda secret: gzip.compress(secret).hex().encode(),
    "gzip of base64": lambda secret: gzip.compress(base64.b64encode(secret)),
}
TEXTS: dict[str, Callable[[str], str]] = {
    "URL": lambda text: urllib.parse.quote(text, safe=""),
    "URL, slashes kept": urllib.parse.quote,
    "JSON": json.dumps,
    "JSON, not ASCII": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "Python": repr,
}


@pytest.mark.parametrize("before", [0, 1, 2, 3])
@pytest.mark.parametrize("secret", [CANARY, KEY], ids=["text", "key"])
@pytest.mark.parametrize("dress", DRESSES)
def test_a_planted_secret_is_found(dress: str, secret: bytes, before: int) -> None:
    """In the middle of other bytes, and at every alignment."""
    leak = DRESSES[dress](b"x" * before + secret + b" and so on")

    assert find({"it": secret}, {"log": b"level=debug " + leak + b" end"})


@pytest.mark.parametrize("dress", TEXTS)
def test_a_planted_text_is_found(dress: str) -> None:
    leak = TEXTS[dress](f"before {CANARY.decode()} after")

    assert find({"it": CANARY}, {"log": f"level=debug {leak} end".encode()})


@pytest.mark.parametrize("secret", [CANARY, KEY], ids=["text", "key"])
def test_nothing_is_found_where_nothing_is(secret: bytes) -> None:
    """Not in noise, and not in what is only like it."""
    others = [bytes([byte ^ 1 for byte in secret]), secret[:-1], base64.b64encode(secret[1:]), NOISE]

    assert find({"it": secret}, {"log": b" ".join(others)}) == []
