"""A UUID in the orders of bytes that BMCs, firmware and Talos write it in.

Firmware keeps the first three fields with their low byte first (SMBIOS), the standard of UUIDs has the high one
first, and IPMI has all sixteen bytes the other way round (20.8). Who reads one as the other tells the same machine's
UUID in another spelling.
"""

from __future__ import annotations

from uuid import UUID


def turned(text: str) -> str:
    """The UUID with the bytes of its first three fields in the other order, in lower case; empty for no UUID."""
    try:
        return str(UUID(bytes_le=UUID(text).bytes))
    except ValueError:
        return ""


def spellings(raw: bytes) -> tuple[str, ...]:
    """The UUIDs that 16 bytes of a BMC can mean, the likeliest first; none for all zeros or all ones.

    A UUID says of itself which version it is, so one order is sound as a rule; where that does not decide,
    firmware's order is taken.
    """
    if len(raw) < 16 or len(set(raw[:16])) == 1:
        return ()
    raw = raw[:16]
    orders = (UUID(bytes_le=raw), UUID(bytes=raw), UUID(bytes=raw[::-1]))
    sound = [each for each in orders if each.version in (1, 2, 3, 4, 5)]
    return tuple(dict.fromkeys(str(each) for each in (*sound, *orders)))
