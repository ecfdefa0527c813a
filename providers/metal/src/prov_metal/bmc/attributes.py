"""Attributes of a manager: settings of a vendor's own, as Dell's iDRAC has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prov_metal.bmc.machine import Machine, Resource, last_part
from provisioner.sdk import Retry


def set_attributes(machine: Machine, wanted: Mapping[str, str]) -> bool:
    """Makes attributes so; False where the BMC has none of these names. Raises ProviderError."""
    place = _place(machine)
    if not place:
        return False
    there = machine.wire.get(place).get("Attributes") or {}
    known = {name: value for name, value in wanted.items() if name in there}
    if all(there[name] == value for name, value in known.items()):
        return bool(known)
    machine.wire.write("PATCH", place, {"Attributes": known})
    kept = machine.wire.get(place).get("Attributes") or {}
    if lost := [name for name, value in known.items() if kept.get(name) != value]:
        raise Retry("a BMC did not keep its settings", detail=f"{lost[0]} is {kept.get(lost[0])}", after_s=3.0)
    return True


def _place(machine: Machine) -> str:
    """Where they are; of several such resources the manager's own. Empty where there are none."""
    for manager in machine.managers():
        dell: Any = ((manager.get("Links") or {}).get("Oem") or {}).get("Dell") or {}
        links = [str(link["@odata.id"]) for link in dell.get("DellAttributes") or ()]
        own = [link for link in links if last_part(link).startswith("iDRAC")]
        if own or links:
            return (own or links)[0]
        plain: Resource = manager.get("Attributes") or {}
        if "@odata.id" in plain:
            return str(plain["@odata.id"])
    return ""
