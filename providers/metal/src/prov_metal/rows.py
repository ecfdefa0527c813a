"""What is wrong with a row of the inventory by itself, and what no two rows can have.

Both are told at the row's line, before any host is touched.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from uuid import UUID

from prov_metal.bmc.address import parse
from prov_metal.trust import objections
from prov_metal.ways.known import unknown, usual
from provisioner.sdk import ProvError, Value, strip_origins

Complaint = tuple[str, str, str]
"""A field, a sentence about it, and what to do."""

_MAC = re.compile(r"[0-9a-f]{2}([:-])[0-9a-f]{2}(\1[0-9a-f]{2}){4}", re.IGNORECASE)
_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*\.?", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9.]+")
_FINGERPRINT = re.compile(r"[0-9a-f]{2}(:?[0-9a-f]{2}){31}", re.IGNORECASE)


def complaints(settings: Mapping[str, Value], row: Mapping[str, Value]) -> Iterator[Complaint]:
    """What is wrong with a row. Values that are not known yet are not looked at."""
    bmc = _text(row, "bmc")
    if bmc is not None:
        yield from _address(bmc)
        yield from _ways(settings, row, bmc)
        yield from _trust(settings, row, bmc)
        yield from _node(row, bmc)
    if (disk := _text(row, "disk")) and not disk.startswith("/dev/"):
        yield "disk", f"{disk!r} is not the path of a disk", f"write the whole path, such as /dev/{disk}"
    for mac in _texts(row, "macs"):
        if not _MAC.fullmatch(mac):
            yield (
                "macs",
                f"has {mac!r}, which is no MAC address",
                "write six pairs, as in 52:54:00:00:00:0a",
            )
    for disk in _texts(row, "wipe"):
        if not disk.startswith("/dev/"):
            yield (
                "wipe",
                f"has {disk!r}, which is not the path of a disk",
                "name each disk that is to be erased, such as /dev/sda",
            )
    if (uuid := _text(row, "uuid")) and not _is_uuid(uuid):
        yield "uuid", f"{uuid!r} is no UUID", "write it as the BMC shows it, 8-4-4-4-12 hexadecimal digits"
    if (print_ := _text(row, "fingerprint")) and not _FINGERPRINT.fullmatch(print_):
        yield (
            "fingerprint",
            "is no SHA-256 fingerprint",
            "write the 32 pairs of hexadecimal digits that `openssl x509 -noout -fingerprint -sha256` shows",
        )


def single(row: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """What only one row can have, written in one way."""
    if bmc := _text(row, "bmc"):
        try:
            found = parse(bmc)
        except ProvError:
            pass  # it is complained about
        else:
            host, port = found.place
            yield "bmc", f"{host}:{port}/{found.system}".rstrip("/")
    if address := _text(row, "address"):
        yield "address", _same_address(address)
    for mac in dict.fromkeys(_texts(row, "macs")):
        yield "macs", mac.lower().replace("-", ":")
    if uuid := _text(row, "uuid"):
        yield "uuid", uuid.lower()


def _address(bmc: str) -> Iterator[Complaint]:
    try:
        parse(bmc)
    except ProvError as err:
        yield "bmc", f"cannot be read: {err.detail}", err.remedy


def _node(row: Mapping[str, Value], bmc: str) -> Iterator[Complaint]:
    """Where the node answers has to be an address or a name by itself, and not that of the BMC."""
    address = _text(row, "address")
    if address is None:
        return
    if not _is_place(address):
        yield (
            "address",
            f"{address!r} is neither an address nor a name",
            "write it without a prefix length, a port or a scheme, such as 10.1.0.11",
        )
        return
    try:
        host, _ = parse(bmc).place
    except ProvError:
        return  # it is complained about
    if _same_address(host) == _same_address(address):
        yield (
            "address",
            f"{address} is that of its BMC",
            "write the address where the node itself will answer",
        )


def _is_place(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return bool(_NAME.fullmatch(text)) and not _DIGITS.fullmatch(text)
    return True


def _trust(settings: Mapping[str, Value], row: Mapping[str, Value], bmc: str) -> Iterator[Complaint]:
    said = row.get("boot") or strip_origins(settings.get("boot") or ())
    ways = tuple(map(str, said)) if isinstance(said, tuple) and said else usual(bmc)
    trust = row.get("trust") or strip_origins(settings.get("trust") or "media")
    yield from objections(str(trust), ways, bmc, _text(row, "console") or "", tls=bool(settings.get("serve_tls")))


def _ways(settings: Mapping[str, Value], row: Mapping[str, Value], bmc: str) -> Iterator[Complaint]:
    said = row.get("boot") or strip_origins(settings.get("boot") or ())
    names = tuple(name for name in said if isinstance(name, str)) if isinstance(said, tuple) else ()
    if wrong := unknown(names):
        yield "boot", wrong, "correct it here, or `boot` of the provider block"
    elif names and bmc.startswith("ipmi:") and not set(names) & {"network"}:
        yield (
            "boot",
            f"is {', '.join(names)}, and the BMC speaks IPMI, which has neither virtual media nor URLs to boot",
            "write `boot: [network]`, or the redfish:// address of the BMC",
        )


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _same_address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text.lower()


def _text(row: Mapping[str, Value], name: str) -> str | None:
    value = strip_origins(row.get(name))
    return value if isinstance(value, str) else None


def _texts(row: Mapping[str, Value], name: str) -> tuple[str, ...]:
    value = strip_origins(row.get(name))
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, tuple) else ()
