"""What the next start boots from.

Written where the BMC has it: some keep such settings, all or a few of them, in a resource of their own. Only what
differs is sent, since some refuse what is so already; after that it is read again, since many say yes to anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from prov_metal.bmc.attributes import set_attributes
from prov_metal.bmc.driver import Source
from prov_metal.bmc.line import Reply
from prov_metal.bmc.machine import Machine, Resource
from prov_metal.bmc.quirks import Habits
from provisioner.sdk import OperatorNeeded, Retry

TARGET, ENABLED, MODE = (f"BootSourceOverride{name}" for name in ("Target", "Enabled", "Mode"))
ALLOWED = f"{TARGET}@Redfish.AllowableValues"
_TARGETS = {"cd": "Cd", "network": "Pxe", "http": "UefiHttp"}


@frozen
class _Boot:
    """Boot settings as they are: of the machine, and those that wait for its next start with their place."""

    now: Resource
    path: str
    later: Resource
    later_path: str

    def of(self, name: str) -> Any:
        """A setting, as it will be where that is known."""
        return self.later[name] if self.later.get(name) is not None else self.now.get(name)

    def is_so(self, name: str, value: Any) -> bool:
        """Whether everything says so; what waits may be of last year."""
        return self.now.get(name) == value and self.later.get(name) in (None, value)

    def shows(self, name: str, value: Any) -> bool:
        """Whether anything says so; what waits may show nowhere else before a start."""
        return value in (self.now.get(name), self.later.get(name))

    def place(self, name: str) -> str:
        """Where a setting is written."""
        known = name if name in self.now or name in self.later else TARGET
        return self.later_path if known in self.later else self.path


@frozen
class Override:
    """The boot source override of one machine."""

    machine: Machine

    def set(self, source: Source, url: str) -> None:
        """Has the next start boot from there. Raises Retry where the BMC does not keep it."""
        waits = self.machine.wire.settle()
        habits, boot = self.machine.habits(), self._boot()
        if source == "cd" and habits.boot_attributes and set_attributes(self.machine, habits.boot_attributes):
            return
        wanted = {TARGET: _target(source, boot, habits), ENABLED: "Once"}
        if source == "http":
            # A URL is for UEFI only.
            mode = {MODE: "UEFI"} if boot.of(MODE) not in (None, "UEFI") and not waits else {}
            wanted |= mode | ({"HttpBootUri": url} if url else {})
        lasts = boot.of(ENABLED) == "Continuous"  # what `Once` becomes on some; it is taken back in any case
        if all(boot.is_so(name, value) or (lasts and name == ENABLED) for name, value in wanted.items()):
            return
        self._set(boot, wanted, habits)

    def lift(self) -> None:
        """Takes the override back; where a BMC cannot be without one, the disk it is."""
        self.machine.wire.settle()
        habits, boot = self.machine.habits(), self._boot()
        if habits.lift_attributes:
            set_attributes(self.machine, habits.lift_attributes)
        if boot.is_so(ENABLED, "Disabled") or any(boot.is_so(TARGET, name) for name in (None, "None", "Hdd")):
            return
        if "None" in (boot.of(ALLOWED) or ("None",)):
            for body in ({TARGET: "None", ENABLED: "Disabled"}, {ENABLED: "Disabled"}):
                if self._write(boot, _with_mode(body, boot, habits)).fine and self._is_lifted():
                    return
        reply = Reply(204, {})
        for enabled in ("Continuous", "Once"):  # some know no lasting one
            for body in _forms({TARGET: "Hdd", ENABLED: enabled}, boot, habits):
                reply = self._write(boot, body)
                if reply.fine:
                    self._check(boot, {TARGET: "Hdd"})
                    return
        raise self.machine.wire.refused(reply, f"PATCH {boot.path}")

    def _set(self, boot: _Boot, wanted: Mapping[str, str], habits: Habits) -> None:
        reply = Reply(204, {})
        for body in _forms(wanted, boot, habits):
            reply = self._write(boot, body)
            if reply.status not in (400, 422):
                break
        if not reply.fine:
            allowed = boot.of(ALLOWED) or ()
            if allowed and wanted[TARGET] not in allowed:
                raise OperatorNeeded(
                    "a BMC cannot boot its machine from there",
                    detail=f"{boot.path} allows {', '.join(map(str, allowed))}, and not {wanted[TARGET]}",
                    remedy="name another way to boot in the host's row of the inventory",
                )
            raise self.machine.wire.refused(reply, f"PATCH {boot.path}")
        self._check(boot, wanted)

    def _check(self, before: _Boot, wanted: Mapping[str, str]) -> None:
        """Raises Retry where the BMC has not kept what it took; puts the mode right where that went with it."""
        kept = self._boot()
        for name in (TARGET, "HttpBootUri"):
            if name in wanted and not kept.shows(name, wanted[name]):
                raise Retry(
                    "a BMC did not keep the boot source",
                    detail=f"{wanted[name]} was set, {kept.of(name)} is there",
                    after_s=3.0,
                )
        mode = wanted.get(MODE) or before.of(MODE)
        if mode and before.now.get(MODE) and not kept.shows(MODE, mode):
            # Some fall back to another mode with each change of the source.
            self.machine.wire.write("PATCH", kept.place(MODE), {"Boot": {MODE: mode}})

    def _write(self, boot: _Boot, wanted: Mapping[str, str]) -> Reply:
        """Each setting to the place that has it; the first answer that says no, or the last.

        Raises Retry where one was taken on as a task.
        """
        reply, later = Reply(204, {}), None
        for path in dict.fromkeys(map(boot.place, wanted)):
            body = {name: value for name, value in wanted.items() if boot.place(name) == path}
            reply = self.machine.wire.change("PATCH", path, {"Boot": body})
            if not reply.fine:
                return reply
            if reply.status == 202:
                later = reply
        if later is not None:
            what = f"boot settings of {boot.path}"
            raise Retry("a BMC has not finished yet", detail=what, after_s=later.after_s(3.0))
        return reply

    def _is_lifted(self) -> bool:
        boot = self._boot()
        return boot.shows(ENABLED, "Disabled") or boot.shows(TARGET, "None")

    def _boot(self) -> _Boot:
        system = self.machine.system()
        place = ((system.get("@Redfish.Settings") or {}).get("SettingsObject") or {}).get("@odata.id")
        later: Resource = {}
        if place:
            reply = self.machine.wire.ask("GET", str(place))
            later = (reply.body.get("Boot") or {}) if reply.fine else {}
        return _Boot(system.get("Boot") or {}, str(system["@odata.id"]), later, str(place or ""))


def _forms(wanted: Mapping[str, str], boot: _Boot, habits: Habits) -> Iterator[dict[str, str]]:
    """What to send for it, in turn: what differs, and where that is refused, all of it."""
    whole = _with_mode(wanted, boot, habits)
    if habits.whole_boot or habits.always_enabled:
        yield whole
        return
    less = {name: value for name, value in wanted.items() if boot.of(name) != value}
    if less:
        yield less
    if less != whole:
        yield whole


def _with_mode(wanted: Mapping[str, str], boot: _Boot, habits: Habits) -> dict[str, str]:
    mode = {MODE: str(boot.of(MODE))} if habits.whole_boot and boot.of(MODE) else {}
    return mode | dict(wanted)


def _target(source: Source, boot: _Boot, habits: Habits) -> str:
    """What Redfish calls a source, on this BMC."""
    allowed = boot.of(ALLOWED) or ()
    if source == "cd" and "UsbCd" in allowed and (habits.usb_cd or "Cd" not in allowed):
        return "UsbCd"
    return _TARGETS[source]
