"""Boot settings as vendors keep them; the emulator turns `Once` into `Continuous` and has no such moods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, evolve, field
from beds.bmc.exchange import Answer, Asked, Pass, refusal

TARGET, ENABLED, MODE = (f"BootSourceOverride{name}" for name in ("Target", "Enabled", "Mode"))


def _nothing() -> dict[str, Any]:
    return {TARGET: "None", ENABLED: "Disabled", MODE: "UEFI", "HttpBootUri": None}


@define
class Register:
    """The boot settings of a machine, in the place of the emulator's.

    allowed         boot targets; () where it does not say
    modes           enabled modes that are taken
    same_refused    a property that is so already is refused (SB 2007355)
    needs_enabled   a change without `Enabled` sets it to `Once` (Supermicro; SB 2008547)
    falls_back      a change of the source sets the mode to Legacy (Supermicro; SB 2008712)
    whole           target, enabled and mode go together (AMI, ASRock; ironic management.py)
    apart           properties that are written to the settings resource alone (iDRAC10; sushy system.py)
    """

    boot: dict[str, Any] = field(factory=_nothing)
    allowed: tuple[str, ...] = ("None", "Pxe", "Cd", "Hdd", "UefiHttp")
    modes: tuple[str, ...] = ("Disabled", "Once", "Continuous")
    same_refused: bool = False
    needs_enabled: bool = False
    falls_back: bool = False
    whole: bool = False
    apart: tuple[str, ...] = ()
    changes: list[Mapping[str, Any]] = field(init=False, factory=list)

    def started(self) -> None:
        """What the start of the machine does to an override for once."""
        if self.boot[ENABLED] == "Once":
            self.boot.update({TARGET: "None", ENABLED: "Disabled"})

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        settings = asked.path.endswith("/SD")
        if not settings and not asked.path.rstrip("/").rpartition("/")[0].endswith("/Systems"):
            return on(asked)
        if asked.method == "PATCH" and isinstance(asked.body, Mapping) and "Boot" in asked.body:
            return self._changed(asked.body["Boot"], settings=settings)
        if settings:
            return Answer(200, {"Boot": {name: self.boot.get(name) for name in self.apart}})
        answer = on(asked)
        if asked.method != "GET" or not isinstance(answer.body, Mapping):
            return answer
        boot = dict(self.boot) | ({f"{TARGET}@Redfish.AllowableValues": list(self.allowed)} if self.allowed else {})
        more = {"@Redfish.Settings": {"SettingsObject": {"@odata.id": f"{asked.path}/SD"}}} if self.apart else {}
        return evolve(answer, body={**answer.body, **more, "Boot": boot})

    def _changed(self, change: Mapping[str, Any], *, settings: bool) -> Answer:
        self.changes.append(dict(change))
        if why := self._wrong(change, settings=settings):
            return refusal(400, why)
        self.boot.update(change)
        if self.needs_enabled and ENABLED not in change:
            self.boot[ENABLED] = "Once"
        if self.falls_back and TARGET in change:
            self.boot[MODE] = "Legacy"
        return Answer(204)

    def _wrong(self, change: Mapping[str, Any], *, settings: bool) -> str:
        if any((name in self.apart) != settings for name in change):
            return "a property is not writable here"
        if unknown := [name for name in change if name not in self.boot]:
            return f"the property {unknown[0]} is unknown"
        if change.get(ENABLED, "Once") not in self.modes or (
            self.allowed and change.get(TARGET, self.allowed[0]) not in self.allowed
        ):
            return "a value is not in the list"
        if self.same_refused and (same := [name for name, value in change.items() if self.boot[name] == value]):
            return f"the property {same[0]} cannot be changed"
        if self.whole and not {TARGET, ENABLED, MODE} <= set(change):
            return f"the property {MODE} is missing"
        return ""
