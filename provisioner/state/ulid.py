"""Keys that sort by time: ULIDs (26 characters of Crockford's base 32, 48 bits of time, 80 of chance)."""

from __future__ import annotations

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_ulid() -> str:
    """A fresh key, in lower case so that it fits tags and names everywhere."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
