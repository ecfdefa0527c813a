"""A BMC that speaks Redfish.

Nothing is assumed about paths: the system is found from the service root, its media slots by its own links or those
of its managers, actions by their targets. After a write the resource is read again, for "204" means "accepted".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define, field

from prov_metal.bmc.driver import Facts, Source
from prov_metal.bmc.quirks import QUIRKS, Habits, Quirk, habits_of
from prov_metal.bmc.wire import Reply, Wire
from provisioner.sdk import Fatal, OperatorNeeded, Retry

ROOT = "/redfish/v1/"
Resource = Mapping[str, Any]

_DISCS = ("CD", "DVD")
_BARE_HINTS = (400, 422)


@define
class RedfishBmc:
    """Satisfies `Bmc`."""

    wire: Wire
    quirks: tuple[Quirk, ...] = QUIRKS
    _path: str = field(init=False, default="")
    _known: Habits | None = field(init=False, default=None)

    def facts(self) -> Facts:
        system = self._system()
        return Facts(
            vendor=str(system.get("Manufacturer") or ""),
            model=str(system.get("Model") or ""),
            firmware=str(system.get("BiosVersion") or ""),
            uuid=str(system.get("UUID") or "").lower(),
            serial=str(system.get("SerialNumber") or ""),
            on=system.get("PowerState") in ("On", "PoweringOff"),
        )

    def switch(self, *, on: bool) -> None:
        system = self._system()
        if (system.get("PowerState") == "On") == on:
            return
        action = _action(system, "#ComputerSystem.Reset")
        wanted = ("On", "ForceOn") if on else ("ForceOff", "PushPowerButton")
        allowed = action.get("ResetType@Redfish.AllowableValues") or wanted
        kind = next((each for each in wanted if each in allowed), wanted[0])
        self.wire.write("POST", str(action["target"]), {"ResetType": kind})

    def media(self) -> str | None:
        for slot in self._slots():
            if _inserted(slot, self._habits()):
                return str(slot.get("Image") or "")
        return None

    def insert(self, url: str) -> None:
        self.eject()
        refusals = []
        for slot in self._slots():
            reply = self._inserted_into(slot, url)
            if reply.status < 400:
                return
            refusals.append(self.wire.refused(reply, f"inserting media into {slot['@odata.id']}"))
        if refusals:
            raise refusals[0]
        raise OperatorNeeded(
            "a BMC has no slot for virtual media",
            detail=f"{self.wire.access.address.base}: no slot takes a CD",
            remedy="see whether virtual media is licensed and enabled on it",
        )

    def eject(self) -> None:
        for slot in self._slots():
            if not _inserted(slot, self._habits()):
                continue
            path = str(slot["@odata.id"])
            action = (slot.get("Actions") or {}).get("#VirtualMedia.EjectMedia")
            if action:
                self.wire.ask("POST", str(action["target"]), {})
            else:
                self.wire.write("PATCH", path, {"Image": None, "Inserted": False})
            if _inserted(self.wire.get(path), self._habits()):
                raise Retry("a BMC has not ejected yet", detail=f"{path} is still inserted", after_s=3.0)

    def boot_from(self, source: Source, url: str = "") -> None:
        system = self._system()
        boot = system.get("Boot") or {}
        habits = self._habits(system)
        if source == "disk":
            self._lift(boot, habits)
            return
        target = _target(source, boot, habits)
        place = {"HttpBootUri": url} if url else {}
        now = (boot.get("BootSourceOverrideTarget"), boot.get("BootSourceOverrideEnabled"))
        there = {name: boot.get(name) for name in place} == place
        if now == (target, "Once") and there and not habits.always_enabled:
            return
        self._set_boot(_override(target, "Once", boot, habits) | place)
        kept = (self._system().get("Boot") or {}).get("BootSourceOverrideTarget")
        if kept != target:
            raise Retry(
                "a BMC did not keep the boot source", detail=f"{target} was set, {kept} is there", after_s=3.0
            )

    # How it is done.

    def _lift(self, boot: Resource, habits: Habits) -> None:
        """Takes the override back; where a BMC cannot be without one, the disk it is."""
        if boot.get("BootSourceOverrideEnabled") == "Disabled" or boot.get("BootSourceOverrideTarget") == "Hdd":
            return
        none = _override("None", "Disabled", boot, habits)
        if "None" in (boot.get("BootSourceOverrideTarget@Redfish.AllowableValues") or ("None",)):
            path = self._boot_path()
            if self.wire.ask("PATCH", path, {"Boot": none}, self.wire.ask("GET", path).etag).status < 400:
                return
        self._set_boot(_override("Hdd", "Continuous", boot, habits))

    def _set_boot(self, wanted: Mapping[str, Any]) -> None:
        self.wire.write("PATCH", self._boot_path(), {"Boot": dict(wanted)})

    def _boot_path(self) -> str:
        """Where boot settings are written: in the settings resource, if it has them."""
        system = self._system()
        pending = ((system.get("@Redfish.Settings") or {}).get("SettingsObject") or {}).get("@odata.id")
        if pending:
            reply = self.wire.ask("GET", str(pending))
            if reply.status < 400 and "Boot" in reply.body:
                return str(pending)
        return str(system["@odata.id"])

    def _inserted_into(self, slot: Resource, url: str) -> Reply:
        path, habits = str(slot["@odata.id"]), self._habits()
        action = (slot.get("Actions") or {}).get("#VirtualMedia.InsertMedia")
        full = {"Image": url, "Inserted": True, "WriteProtected": True}
        if not action:
            return self.wire.ask("PATCH", path, full, self.wire.ask("GET", path).etag)
        target = str(action["target"])
        reply = self.wire.ask("POST", target, {"Image": url} if habits.bare_insert else full)
        for more in _wants(reply, url):
            if _inserted(self.wire.get(path), habits):
                break  # it did what it was asked, whatever it said
            reply = self.wire.ask("POST", target, more)
            if reply.status < 400:
                break
        if reply.status < 400 and not _inserted(self.wire.get(path), habits):
            raise Retry("a BMC has not inserted the media yet", detail=f"{path} is empty", after_s=3.0)
        return reply

    def _system(self) -> Resource:
        """The machine, found once from the root."""
        if not self._path:
            root = self.wire.get(ROOT)
            systems = [str(item["@odata.id"]) for item in self.wire.get(_link(root, "Systems")).get("Members") or ()]
            wanted = self.wire.access.address.system
            fitting = [path for path in systems if not wanted or path.rstrip("/").rpartition("/")[2] == wanted]
            if len(fitting) != 1:
                raise Fatal(
                    "a BMC has another number of systems than one",
                    detail=f"{self.wire.access.address.base} has {', '.join(systems) or 'none'}",
                    remedy="name the system behind the BMC's address, as in redfish://HOST/Systems/1",
                    effect=False,
                )
            self._path = fitting[0]
        return self.wire.get(self._path)

    def _habits(self, system: Resource | None = None) -> Habits:
        if self._known is None:
            system = system or self._system()
            made_by = (str(system.get("Manufacturer") or ""), str(system.get("Model") or ""))
            self._known = habits_of(*made_by, self.quirks)
        return self._known

    def _managers(self) -> Iterator[Resource]:
        links = (self._system().get("Links") or {}).get("ManagedBy") or ()
        for item in links:
            yield self.wire.get(str(item["@odata.id"]))

    def _slots(self) -> list[Resource]:
        """The slots that take a disc, those of the system before those of its managers."""
        for holder in (self._system(), *self._managers()):
            slots = [slot for slot in self._members(holder.get("VirtualMedia")) if _takes_discs(slot)]
            if slots:
                return slots
        return []

    def _members(self, link: Any) -> Iterator[Resource]:
        """The members of a collection that is linked to, those that cannot be read left out."""
        if not isinstance(link, Mapping) or "@odata.id" not in link:
            return
        reply = self.wire.ask("GET", str(link["@odata.id"]))
        for item in reply.body.get("Members") or ():
            found = self.wire.ask("GET", str(item["@odata.id"]))
            if found.status < 400:
                yield found.body


def _link(resource: Resource, name: str) -> str:
    link = resource.get(name)
    if not isinstance(link, Mapping) or "@odata.id" not in link:
        raise Fatal(
            "a BMC lacks what prov needs",
            detail=f"{resource.get('@odata.id', 'its root')} has no {name}",
            remedy="update the BMC's firmware, or write another driver's address into the inventory",
            effect=False,
        )
    return str(link["@odata.id"])


def _action(resource: Resource, name: str) -> Resource:
    action = (resource.get("Actions") or {}).get(name)
    if not isinstance(action, Mapping) or "target" not in action:
        raise Fatal(
            "a BMC lacks what prov needs",
            detail=f"{resource.get('@odata.id', '')} has no action {name}",
            remedy="update the BMC's firmware",
            effect=False,
        )
    return action


def _takes_discs(slot: Resource) -> bool:
    types = slot.get("MediaTypes")
    return any(kind in _DISCS for kind in types) if types else True


def _inserted(slot: Resource, habits: Habits) -> bool:
    if slot.get("Inserted") is not None:
        return bool(slot["Inserted"])
    return bool(slot.get("Image")) and not habits.image_lingers and slot.get("ConnectedVia") != "NotConnected"


def _override(target: str, enabled: str, boot: Resource, habits: Habits) -> dict[str, str]:
    """What to write for another boot source; some BMCs want the mode with it, the same as it is."""
    wanted = {"BootSourceOverrideTarget": target, "BootSourceOverrideEnabled": enabled}
    if habits.whole_boot and boot.get("BootSourceOverrideMode"):
        wanted["BootSourceOverrideMode"] = str(boot["BootSourceOverrideMode"])
    return wanted


def _target(source: Source, boot: Resource, habits: Habits) -> str:
    """What Redfish calls a source, on this BMC."""
    allowed = boot.get("BootSourceOverrideTarget@Redfish.AllowableValues") or ()
    if source == "cd" and habits.usb_cd and "UsbCd" in allowed:
        return "UsbCd"
    return {"cd": "Cd", "network": "Pxe", "http": "UefiHttp", "disk": "Hdd"}[source]


def _wants(reply: Reply, url: str) -> Iterator[dict[str, Any]]:
    """What to send instead of a body that was refused, the least first."""
    if reply.status not in _BARE_HINTS:
        return
    scheme = url.partition(":")[0].upper()
    yield {"Image": url}
    yield {"Image": url, "TransferProtocolType": scheme}
    yield {"Image": url, "TransferProtocolType": scheme, "TransferMethod": "Stream"}
    yield {
        "Image": url,
        "TransferProtocolType": scheme,
        "TransferMethod": "Stream",
        "UserName": "none",
        "Password": "none",
    }
