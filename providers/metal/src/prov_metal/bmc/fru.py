"""Who made a machine, by the record that its board carries (FRU).

The formats are those of "IPMI Platform Management FRU Information Storage Definition"; pyghmi reads them.
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

from prov_metal.bmc.lan import Lan

_STORAGE = 0x0A
_MOST = 4096
_TOO_LONG = (0xC7, 0xC8, 0xC9, 0xCA)


@frozen
class Made:
    """Texts as the maker wrote them; empty where there are none."""

    vendor: str = ""
    model: str = ""
    serial: str = ""


def made(lan: Lan) -> Made:
    """What a BMC's first FRU says; empty where it has none, or one that cannot be read. Raises ProviderError."""
    return read(_raw(lan))


def read(raw: bytes) -> Made:
    """What a FRU says of the product, else of the board, else of the chassis."""
    import pyghmi.exceptions
    from pyghmi.ipmi.fru import FRU

    try:
        info: dict[str, Any] = FRU(rawdata=bytearray(raw)).info or {} if raw else {}
    except (IndexError, ValueError, TypeError, pyghmi.exceptions.PyghmiException):
        return Made()
    return Made(
        _first(info, "Manufacturer", "Board manufacturer"),
        _first(info, "Product name", "Board product name"),
        _first(info, "Serial Number", "Chassis serial number", "Board serial number"),
    )


def _first(info: dict[str, Any], *names: str) -> str:
    texts = (info.get(name) for name in names)
    return next((text.strip() for text in texts if isinstance(text, str) and text.strip()), "")


def _raw(lan: Lan) -> bytes:
    """The bytes of FRU 0, in pieces as long as the BMC allows."""
    size = lan.ask(_STORAGE, 0x10, 0)
    if size.code or len(size.data) < 2:
        return b""
    total = min(size.data[0] | size.data[1] << 8, _MOST)
    raw, piece = bytearray(), 64
    while len(raw) < total:
        part = lan.ask(_STORAGE, 0x11, 0, len(raw) & 0xFF, len(raw) >> 8, min(piece, total - len(raw)))
        if part.code in _TOO_LONG and piece > 8:
            piece //= 2
            continue
        if part.code or len(part.data) < 2:
            break
        raw += part.data[1 : 1 + part.data[0]]
    return bytes(raw)
