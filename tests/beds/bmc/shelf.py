"""Slots for media as vendors have them: several, of several kinds, some of them for show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, evolve, field
from beds.bmc.exchange import Answer, Asked, Pass, refusal

INSERT = "VirtualMedia.InsertMedia"
EJECT = "VirtualMedia.EjectMedia"
DISCS = ("CD", "DVD")


@define
class Slot:
    """A slot by its number or name.

    media   what it takes
    status  what it answers to an insertion
    silent  it says yes and does nothing
    shown   whether it has the action for insertions
    looks   at it until an insertion shows
    """

    name: str
    media: tuple[str, ...] = DISCS
    status: int = 204
    silent: bool = False
    shown: bool = True
    looks: int = 0
    image: str = ""
    asked: int = 0


@define
class Shelf:
    """The slots that are linked from the system, and those that are linked from its manager.

    alone   two media at a time are too many (Dell; iDRAC-Redfish-Scripting 290)
    patched slots are changed themselves; there are no actions
    """

    of_system: tuple[Slot, ...] = ()
    of_manager: tuple[Slot, ...] = ()
    alone: bool = False
    patched: bool = False
    _hidden: dict[str, int] = field(init=False, factory=dict)

    def slot(self, name: str) -> Slot:
        return next(slot for slot in (*self.of_system, *self.of_manager) if slot.name == name)

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        if "/Shelf" in asked.path:
            return self._told(asked)
        answer = on(asked)
        holder = asked.path.rstrip("/").rpartition("/")[0].rpartition("/")[2]
        if asked.method == "GET" and holder in ("Systems", "Managers") and isinstance(answer.body, Mapping):
            link = {"@odata.id": f"/redfish/v1/{holder}/1/Shelf"}
            slots = self.of_system if holder == "Systems" else self.of_manager
            rest = {key: value for key, value in answer.body.items() if key != "VirtualMedia"}
            return evolve(answer, body={**rest, "VirtualMedia": link} if slots else rest)
        return answer

    def _told(self, asked: Asked) -> Answer:
        head, _, below = asked.path.partition("/Shelf")
        slots = {slot.name: slot for slot in (self.of_system if "Systems" in head else self.of_manager)}
        name = below.strip("/").partition("/")[0]
        if not name:
            return Answer(200, {"Members": [{"@odata.id": f"{head}/Shelf/{each}"} for each in slots]})
        slot = slots[name]
        if asked.method == "GET":
            return Answer(200, self._body(f"{head}/Shelf/{name}", slot))
        slot.asked += 1
        if asked.method == "PATCH" and not self.patched:
            return refusal(405, "the slot cannot be changed")
        if asked.does(EJECT) or asked.body.get("Image", "") is None:
            slot.image = ""
            return Answer(204)
        return self._insert(slot, asked.body)

    def _insert(self, slot: Slot, body: Mapping[str, Any]) -> Answer:
        if slot.status >= 400:
            return refusal(slot.status, "not into this slot")
        if self.alone and any(each.image for each in (*self.of_system, *self.of_manager)):
            return refusal(400, "another medium is inserted")
        if not slot.silent:
            slot.image, self._hidden[slot.name] = body["Image"], slot.looks
        return Answer(slot.status)

    def _body(self, path: str, slot: Slot) -> dict[str, Any]:
        left = self._hidden.get(slot.name, 0)
        self._hidden[slot.name] = max(0, left - 1)
        seen = slot.image if not left else ""
        names = () if self.patched or not slot.shown else (INSERT, EJECT)
        return {
            "@odata.id": path,
            "Id": slot.name,
            "MediaTypes": list(slot.media),
            "Image": seen or None,
            "Inserted": bool(seen),
            "ConnectedVia": "URI" if seen else "NotConnected",
            "Actions": {f"#{name}": {"target": f"{path}/Actions/{name}"} for name in names},
        }
