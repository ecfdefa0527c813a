"""A BMC that speaks Redfish.

Nothing is assumed about paths: the system is found from the service root, its media slots by its own links or those
of its managers, actions by their targets. After a write the resource is read again, for "204" means "accepted".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, field

from prov_metal.bmc.driver import Event, Facts, NextBoot, Source
from prov_metal.bmc.logs import events
from prov_metal.bmc.machine import Machine, Resource, action
from prov_metal.bmc.override import Override
from prov_metal.bmc.quirks import Quirk
from prov_metal.bmc.slots import Slots
from prov_metal.bmc.table import QUIRKS
from prov_metal.bmc.wire import Wire
from provisioner.sdk import Retry

_ON = ("On", "PoweringOff", "Paused")
_OFF = ("Off", "PoweringOn")
_STATES = {"Enabled": True, "Disabled": False, "StandbyOffline": False, "UnavailableOffline": False}
"""What the state of a system says of its power, if it follows that at all (DSP0268, Status.State)."""


@define
class RedfishBmc:
    """Satisfies `Bmc`, `HasMedia`, `HasEvents`, `HasWitnesses`."""

    wire: Wire
    quirks: tuple[Quirk, ...] = QUIRKS
    _machine: Machine = field(init=False)
    _slots: Slots = field(init=False)
    _override: Override = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._machine = Machine(self.wire, self.quirks)
        self._slots = Slots(self._machine)
        self._override = Override(self._machine)

    def facts(self) -> Facts:
        system, make = self._machine.system(), self._machine.make()
        return Facts(
            vendor=str(system.get("Manufacturer") or make.vendor),
            model=make.model,
            firmware=str(system.get("BiosVersion") or ""),
            uuid=str(system.get("UUID") or "").lower(),
            serial=str(system.get("SerialNumber") or ""),
            on=_is_on(system),
            bmc=make.firmware,
            mode=str((system.get("Boot") or {}).get("BootSourceOverrideMode") or ""),
            memory_gib=_gib(system),
        )

    def switch(self, *, on: bool) -> None:
        self.wire.settle(patient=True)
        system = self._machine.system()
        if _is_on(system) == on and system.get("PowerState") in ("On", "Off"):
            return
        reset = action(system, "#ComputerSystem.Reset")
        wanted = ("On", "ForceOn") if on else ("ForceOff",)
        allowed = reset.get("ResetType@Redfish.AllowableValues") or wanted
        kind = next((each for each in wanted if each in allowed), wanted[0])
        target = str(reset["target"])
        reply = self.wire.ask("POST", target, {"ResetType": kind})
        if not reply.fine and _is_on(self._machine.system()) != on:  # some refuse what is so already
            raise self.wire.refused(reply, f"POST {target}")

    def media(self) -> str | None:
        return self._slots.image()

    def insert(self, url: str) -> None:
        self._slots.insert(url)

    def eject(self) -> None:
        self._slots.eject()

    def boot_from(self, source: Source, url: str = "") -> None:
        if source == "disk":
            self._override.lift()
        else:
            self._override.set(source, url)

    def events(self) -> Sequence[Event]:
        return events(self._machine)

    def witnesses(self) -> Mapping[str, bool]:
        system = self._machine.system()
        found: dict[str, bool] = {}
        for chassis in self._machine.linked((system.get("Links") or {}).get("Chassis")):
            if chassis.get("PowerState") in ("On", "Off"):
                found[f"its chassis {chassis.get('Id') or ''}".rstrip()] = chassis["PowerState"] == "On"
        progress = (system.get("BootProgress") or {}).get("LastState")
        if progress:
            found["the progress of its boot"] = progress != "None"
        state = (system.get("Status") or {}).get("State")
        if state in _STATES:
            found["its state"] = _STATES[state]
        return found

    def next_boot(self) -> NextBoot:
        system = self._machine.system()
        boot = system.get("Boot") or {}
        secure: Resource = next(self._machine.linked([system.get("SecureBoot")]), {})
        return NextBoot(
            str(boot.get("BootSourceOverrideTarget") or ""),
            str(boot.get("BootSourceOverrideEnabled") or ""),
            secure.get("SecureBootCurrentBoot") == "Enabled",
        )


def _gib(system: Resource) -> float:
    size = (system.get("MemorySummary") or {}).get("TotalSystemMemoryGiB")
    return float(size) if isinstance(size, int | float) else 0.0


def _is_on(system: Resource) -> bool:
    """Whether a machine is on. Raises Retry where its BMC does not know: it may have just started itself."""
    state = system.get("PowerState")
    if state not in _ON + _OFF:
        raise Retry("a BMC does not know whether its machine is on", detail=f"PowerState is {state}", after_s=5.0)
    return state in _ON
