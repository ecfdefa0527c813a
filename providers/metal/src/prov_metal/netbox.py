"""Hosts of an inventory out of what NetBox knows of racks.

Read are lists as NetBox's API gives them: devices (`/api/dcim/devices/`) and their interfaces
(`/api/dcim/interfaces/`), each a JSON object with `results` or a bare list; newer releases have the MAC addresses in
`primary_mac_address`. What an inventory needs and NetBox does not have, such as passwords, is not made up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from provisioner.sdk import ProvError

Row = dict[str, Any]
_STANDING = ("active", "planned", "staged", "inventory", "")
"""Devices in other states (offline, failed, decommissioning) are left out."""


@frozen
class Imported:
    """Rows by name in the order of the racks, and a sentence about each device that is none."""

    rows: Mapping[str, Row]
    left_out: Sequence[str]


def imported(devices: Any, interfaces: Any, *, scheme: str = "redfish") -> Imported:
    """`scheme` is what the BMCs speak. Raises ProvError for what is no export."""
    macs = _macs(_results(interfaces, "interfaces"))
    rows: dict[str, Row] = {}
    left_out = []
    for device in sorted(_results(devices, "devices"), key=_where):
        name = str(device.get("name") or "")
        why = _unfit(device) or (f"{name} is there twice" if name in rows else "")
        if why:
            left_out.append(why)
        else:
            rows[name] = _row(device, macs.get(name, ()), scheme)
    return Imported(rows, left_out)


def _row(device: Mapping[str, Any], macs: Sequence[str], scheme: str) -> Row:
    """Fields in the order in which people read them; what is empty is left out."""
    model = device.get("device_type") or {}
    facts = {"vendor": _name(model.get("manufacturer")), "model": str(model.get("model") or "")}
    role = _slug(device.get("role") or device.get("device_role"))
    labels = ({"role": role} if role else {}) | {_slug(tag): "yes" for tag in device.get("tags") or () if _slug(tag)}
    row = {
        "bmc": f"{scheme}://{_host(_ip(device, 'oob_ip'))}",
        "address": _ip(device, "primary_ip4", "primary_ip", "primary_ip6"),
        "serial": str(device.get("serial") or ""),
        "uuid": str((device.get("custom_fields") or {}).get("uuid") or ""),
        "macs": list(macs),
        "rack": _name(device.get("rack")),
        "unit": _unit(device.get("position")),
        "labels": labels,
        "facts": {key: value for key, value in facts.items() if value},
    }
    return {key: value for key, value in row.items() if value}


def _unfit(device: Mapping[str, Any]) -> str:
    """Why a device is no host; empty where it is one."""
    name, state = str(device.get("name") or ""), device.get("status") or {}
    status = str(state.get("value") if isinstance(state, Mapping) else state)
    if not name:
        return f"device {device.get('id', '?')} has no name"
    if status not in _STANDING:
        return f"{name} is {status}"
    if not _ip(device, "oob_ip"):
        return f"{name} has no out-of-band IP address: set it to the address of its BMC"
    if not _ip(device, "primary_ip4", "primary_ip", "primary_ip6"):
        return f"{name} has no primary IP address: set it to the one where the node will answer"
    return ""


def _macs(interfaces: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """MAC addresses by device, without those of BMCs, in the order of the export."""
    found: dict[str, list[str]] = {}
    for each in interfaces:
        newer = each.get("primary_mac_address") or {}
        mac = str(each.get("mac_address") or newer.get("mac_address") or "").lower()
        if mac and not each.get("mgmt_only"):
            found.setdefault(_name(each.get("device")), []).append(mac)
    return found


def _results(given: Any, what: str) -> Sequence[Mapping[str, Any]]:
    items = given.get("results") if isinstance(given, Mapping) else given
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise ProvError(
            "this is no export of NetBox",
            detail=f"{what}: an object with a list `results`, or a list of objects, was expected",
            remedy=f"save the answer of /api/dcim/{what}/?limit=0&format=json",
        )
    if isinstance(given, Mapping) and given.get("next"):
        raise ProvError(
            "an export of NetBox is not complete",
            detail=f"{what}: there are {given.get('count', 'more')}, and these are {len(items)}",
            remedy="ask for all at once, with ?limit=0",
        )
    return items


def _where(device: Mapping[str, Any]) -> tuple[str, float, str]:
    """Racks by name, in each from the bottom up."""
    return _name(device.get("rack")), float(device.get("position") or 0), str(device.get("name") or "")


def _ip(device: Mapping[str, Any], *fields: str) -> str:
    """The first of some addresses, without its prefix length."""
    for field in fields:
        value = device.get(field)
        text = value.get("address") if isinstance(value, Mapping) else value
        if text:
            return str(text).partition("/")[0]
    return ""


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _unit(position: Any) -> str:
    """NetBox counts halves: 12.0 is the unit 12."""
    return "" if position is None else f"{float(position):g}"


def _name(item: Any) -> str:
    return str(item.get("name") or item.get("display") or "") if isinstance(item, Mapping) else str(item or "")


def _slug(item: Any) -> str:
    return str(item.get("slug") or "") if isinstance(item, Mapping) else ""


def read_json(path: Path) -> Any:
    """What a file has; raises ProvError where it cannot be read."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as err:
        said = err.strerror if isinstance(err, OSError) and err.strerror else str(err)
        raise ProvError(
            "an export of NetBox cannot be read", detail=f"{path}: {said}", remedy="save what its API answers as JSON"
        ) from None
