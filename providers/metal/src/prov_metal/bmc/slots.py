"""The slots of a BMC that take a disc from a URL.

They are found under the system and under its managers, and told by the media they take, never by their number. Which
of them works shows when one is tried: some are for consoles only, and say so or say nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from re import search
from typing import Any

from attrs import define, field, frozen

from prov_metal.bmc.attributes import set_attributes
from prov_metal.bmc.line import Reply
from prov_metal.bmc.machine import Machine, Resource, last_part, placed
from provisioner.sdk import OperatorNeeded, ProviderError, Retry

LATE_S = 90.0
"""How long a slot may take to show a disc that it has accepted; after that another slot is tried."""

_DISCS = ("CD", "DVD")
_WRONG_BODY = (400, 422)


@frozen
class _Accepted:
    """An insertion that the BMC has accepted, and that has not shown yet."""

    path: str
    url: str
    since: float


@define
class Slots:
    """The slots of one machine."""

    machine: Machine
    _paths: tuple[str, ...] = field(init=False, default=())
    _accepted: _Accepted | None = field(init=False, default=None)
    _deaf: set[str] = field(init=False, factory=set)

    def image(self) -> str | None:
        """The URL of what is inserted, None when nothing is."""
        return next((str(slot.get("Image") or "") for slot in self._all() if self._full(slot)), None)

    def insert(self, url: str) -> None:
        """Puts a disc in, after whatever was there is out. Raises Retry until it shows."""
        self.machine.wire.settle()
        if self._shows(url):
            return
        self.eject()
        if wanted := self.machine.habits().media_attributes:
            set_attributes(self.machine, wanted)
        refusals: list[ProviderError] = []
        for slot in self._hearing():
            path = str(slot["@odata.id"])
            # Before it is asked: some fetch the disc first, and answer later than anybody waits.
            self._accepted = _Accepted(path, url, self.machine.wire.now())
            reply = self._inserted_into(slot, url)
            if reply.fine:
                if not self._full(self.machine.wire.get(path)):
                    raise _late(path)
                self._accepted = None
                return
            self._accepted = None
            refusals.append(self.machine.wire.refused(reply, f"inserting media into {path}"))
        raise refusals[0] if refusals else self._none()

    def eject(self) -> None:
        """Empties all slots. Raises Retry for one that is not empty yet."""
        self.machine.wire.settle()
        self._accepted = None
        for slot in self._all():
            if self._full(slot):
                self._empty(slot)

    def _shows(self, url: str) -> bool:
        """Whether what was accepted earlier is there by now. Raises Retry while it may still come."""
        accepted = self._accepted
        if accepted is None or accepted.url != url:
            return False
        reply = self.machine.wire.ask("GET", accepted.path)
        if reply.fine and self._full(reply.body):
            self._accepted = None
            return True
        if self.machine.wire.now() - accepted.since < LATE_S:
            raise _late(accepted.path)
        self._deaf.add(accepted.path)
        return False

    def _inserted_into(self, slot: Resource, url: str) -> Reply:
        """The answer to the first body that the slot takes, or to the last."""
        wire, path = self.machine.wire, str(slot["@odata.id"])
        insertion = (slot.get("Actions") or {}).get("#VirtualMedia.InsertMedia")
        if not insertion:
            return wire.change("PATCH", path, {"Image": url, "Inserted": True, "WriteProtected": True})
        bodies = _bodies(url)
        reply = wire.ask("POST", str(insertion["target"]), next(bodies))
        for body in bodies:
            if reply.status not in _WRONG_BODY or self._full(wire.get(path)):
                break  # where it is in, it did what it was asked, whatever it said
            reply = wire.ask("POST", str(insertion["target"]), body)
        return Reply(204, {}) if not reply.fine and self._full(wire.get(path)) else reply

    def _empty(self, slot: Resource) -> None:
        wire, path = self.machine.wire, str(slot["@odata.id"])
        ejection = (slot.get("Actions") or {}).get("#VirtualMedia.EjectMedia")
        if ejection:
            reply = wire.ask("POST", str(ejection["target"]), {})  # some want a body
        else:
            reply = wire.change("PATCH", path, {"Image": None, "Inserted": False})
        if not self._full(wire.get(path)):
            return  # whatever it said
        if not reply.fine:
            raise wire.refused(reply, f"ejecting from {path}")
        raise Retry("a BMC has not ejected yet", detail=f"{path} is still inserted", after_s=3.0)

    def _all(self) -> list[Resource]:
        """The slots that take a disc, as they are now."""
        if not self._paths:
            self._paths = tuple(str(slot["@odata.id"]) for slot in self._found())
        slots = self._read()
        if self._paths and not slots:  # while a BMC starts it knows nothing of them; or they have other names by now
            self._paths = ()
            raise Retry("a BMC does not know its slots now", detail=f"{self.machine.base} had some", after_s=10.0)
        return slots

    def _read(self) -> list[Resource]:
        wire = self.machine.wire
        replies = [(path, wire.ask("GET", path)) for path in self._paths]
        return [placed(reply.body, path) for path, reply in replies if reply.fine]

    def _found(self) -> Iterator[Resource]:
        habits = self.machine.habits()
        slots: dict[str, Resource] = {}
        for holder in (self.machine.system(), *self._own_managers()):
            for slot in self.machine.members(holder.get("VirtualMedia")):
                name = last_part(str(slot["@odata.id"]))
                if _takes_discs(slot) and not (habits.skipped and search(habits.skipped, name)):
                    slots.setdefault(str(slot["@odata.id"]), slot)
        preferred = habits.first or "^"
        yield from sorted(slots.values(), key=lambda slot: not search(preferred, last_part(str(slot["@odata.id"]))))

    def _own_managers(self) -> Iterator[Resource]:
        """The managers of this machine alone: the slots of one for several may be those of any of them."""
        for manager in self.machine.managers():
            served = (manager.get("Links") or {}).get("ManagerForServers")
            if not isinstance(served, list) or len(served) < 2:
                yield manager

    def _hearing(self) -> list[Resource]:
        """Those that have not ignored a disc before; all of them where each has."""
        slots = self._all()
        hearing = [slot for slot in slots if slot["@odata.id"] not in self._deaf]
        if not hearing:
            self._deaf.clear()
        return hearing or slots

    def _full(self, slot: Resource) -> bool:
        if slot.get("Inserted") is not None:
            return bool(slot["Inserted"])
        lingers = self.machine.habits().image_lingers
        return bool(slot.get("Image")) and not lingers and slot.get("ConnectedVia") != "NotConnected"

    def _none(self) -> ProviderError:
        own = [_own_way(manager) for manager in self.machine.managers()]
        return OperatorNeeded(
            "a BMC has no slot for virtual media",
            detail=f"{self.machine.base}: {next(filter(None, own), 'no slot takes a CD')}",
            remedy="see whether virtual media is licensed and enabled on it, or boot this host from the network",
        )


def _late(path: str) -> Retry:
    return Retry("a BMC has not inserted the media yet", detail=f"{path} is empty", after_s=3.0)


def _takes_discs(slot: Resource) -> bool:
    types = slot.get("MediaTypes")
    return any(kind in _DISCS for kind in types) if types else True


def _bodies(url: str) -> Iterator[dict[str, Any]]:
    """What InsertMedia may want, the least first: Redfish's own defaults are what is meant."""
    body: dict[str, Any] = {"Image": url}
    yield body
    yield body | {"Inserted": True, "WriteProtected": True}
    for more in (
        {"TransferProtocolType": url.partition(":")[0].upper()},
        {"TransferMethod": "Stream"},
        {"UserName": "none", "Password": "none"},
    ):
        body = body | more
        yield body


def _own_way(manager: Mapping[str, Any]) -> str:
    """What a manager has in the place of virtual media as Redfish knows it."""
    text = str(manager.get("Oem") or "")
    return "it mounts images in a way of its vendor's own only (IsoConfig)" if search("VM1|IsoConfig", text) else ""
