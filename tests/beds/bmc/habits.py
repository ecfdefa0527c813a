"""What BMCs do that the emulator does not, each with where it was reported.

A habit is made anew for each bed, since some of them remember. SB is storyboard.openstack.org/#!/story/N, LP is
bugs.launchpad.net/ironic/+bug/N.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import define, evolve, field, frozen
from beds.bmc.exchange import Answer, Asked, Pass, refusal

INSERT = "VirtualMedia.InsertMedia"
EJECT = "VirtualMedia.EjectMedia"
RESET = "ComputerSystem.Reset"


@frozen
class Made:
    """Says who made it. No habit by itself, but some go with a name."""

    manufacturer: str
    model: str = ""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        return _changed_system(asked, on(asked), {"Manufacturer": self.manufacturer, "Model": self.model})


@define
class Tells:
    """Says more of its system than the emulator does, what may change meanwhile."""

    more: dict[str, Any] = field(factory=dict)

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        return _changed_system(asked, on(asked), self.more)


@define
class WantsEtag:
    """Changes need the ETag of what is changed, in exactly the form it accepts (Lenovo, AMI; gofish 171).

    given, taken  how it writes a tag, and how it wants to read it (ansible community.general 3268, 6434)
    """

    given: str = '"{}"'
    taken: str = '"{}"'
    changes: int = 0

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        if asked.method == "PATCH":
            tag = asked.headers.get("If-Match", "")
            if not tag:
                return refusal(428, "If-Match is required")
            if tag != self.taken.format(self.changes):
                return refusal(412, "the resource has changed")
            self.changes += 1
        answer = on(asked)
        return evolve(answer, headers={**answer.headers, "ETag": self.given.format(self.changes)})


@frozen
class OddTags:
    """Gives ETags that are empty or quoted twice, and refuses them when they come back (sushy connector.py)."""

    tag: str

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        if asked.headers.get("If-Match") == self.tag:
            return refusal(400, "a header is malformed")
        answer = on(asked)
        return evolve(answer, headers={**answer.headers, "ETag": self.tag})


@frozen
class SettingsApart:
    """Boot settings are written to a resource of their own (Lenovo SE450, Nokia, iDRAC10; sushy system.py)."""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        if asked.path.endswith("/SD"):
            return on(evolve(asked, path=asked.path.removesuffix("/SD")))
        if asked.method == "PATCH" and _is_system(asked.path):
            return refusal(405, "the resource cannot be changed")
        apart = {"SettingsObject": {"@odata.id": f"{asked.path.rstrip('/')}/SD"}}
        return _changed_system(asked, on(asked), {"@Redfish.Settings": apart})


@frozen
class InsertWants:
    """InsertMedia needs more than the image (NVIDIA DGX, LP 2071945): the names of those fields."""

    fields: tuple[str, ...]

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        missing = [name for name in self.fields if asked.does(INSERT) and name not in asked.body]
        if missing:
            return refusal(400, f"{missing[0]} is missing")
        known = ("Image", "Inserted", "WriteProtected")
        if asked.does(INSERT):
            asked = evolve(asked, body={name: value for name, value in asked.body.items() if name in known})
        return on(asked)


@frozen
class InsertTakesImageOnly:
    """InsertMedia with `Inserted` or `WriteProtected` is refused (Supermicro X11; community.general 4839)."""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        if asked.does(INSERT) and set(asked.body) != {"Image"}:
            return refusal(400, "the property Inserted is unknown")
        return on(asked)


@frozen
class EjectWantsBody:
    """EjectMedia without a body is refused (HPE iLO; sushy virtual_media.py)."""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        return refusal(415, "a body is required") if asked.does(EJECT) and asked.body is None else on(asked)


@frozen
class EjectComplains:
    """EjectMedia does it and says that it failed (HPE iLO; bmclib 410)."""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        answer = on(asked)
        return refusal(500, "internal error") if asked.does(EJECT) else answer


@define
class EjectsLate:
    """The slot stays inserted for a few looks after an eject (SB 2008504)."""

    looks: int
    _left: int = field(init=False, default=0)
    _full: bool = field(init=False, default=False)

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        if asked.does(EJECT) and self._full:
            self._left, self._full = self.looks, False
        self._full = self._full or asked.does(INSERT)
        answer = on(asked)
        if self._left and asked.method == "GET" and _is_slot(answer.body):
            self._left -= 1
            return evolve(answer, body={**answer.body, "Inserted": True})
        return answer


@frozen
class ImageLingers:
    """`Image` stays filled after an eject, and there is no `Inserted` (Supermicro; community.general 6969)."""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        answer = on(asked)
        if _is_slot(answer.body) and not answer.body.get("Inserted"):
            body = {key: value for key, value in answer.body.items() if key != "Inserted"}
            return evolve(answer, body={**body, "Image": "http://10.0.0.9/old.iso"})
        return answer


@frozen
class InsertIsIgnored:
    """InsertMedia says that all is well and does nothing (Dell; aicli 69)."""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        return Answer(204) if asked.does(INSERT) else on(asked)


@frozen
class MediaUnderManagers:
    """Virtual media is linked from the manager only (older iDRAC, iLO; ironic boot.py)."""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        answer = on(asked)
        if _is_system(asked.path) and isinstance(answer.body, Mapping):
            return evolve(answer, body={key: value for key, value in answer.body.items() if key != "VirtualMedia"})
        return answer


@frozen
class PicksUrls:
    """Images have a plain URL that ends in .iso, or are refused (Supermicro X12; ironic's documentation)."""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        url = asked.body.get("Image", "") if asked.does(INSERT) else ".iso"
        plain = url.endswith(".iso") and not set("?&=") & set(url)
        return on(asked) if plain else refusal(400, "the image's URL is malformed")


@define
class Power:
    """A switch that works at once, where the emulator takes its time; PowerState shows it after some looks.

    Some BMCs tell the old one for a while (ironic power.py).
    """

    looks: int = 0
    on: bool = False
    pressed: list[str] = field(init=False, factory=list)
    _left: int = field(init=False, default=0)

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        if asked.does(RESET):
            kind = asked.body["ResetType"]
            self.pressed.append(kind)
            if (kind == "On") != self.on:
                self.on, self._left = kind == "On", self.looks
            return Answer(204)
        answer = on(asked)
        if asked.method != "GET" or not _is_system(asked.path):
            return answer
        shown = self.on == (self._left == 0)
        self._left = max(0, self._left - 1)
        return evolve(answer, body={**answer.body, "PowerState": "On" if shown else "Off"})


@frozen
class KnowsNoPower:
    """There is no PowerState: the BMC has just started itself."""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        return _changed_system(asked, on(asked), {"PowerState": None})


@define
class EjectsUnder:
    """An eject under a running system is noted: it corrupts what that reads (LP 2160374)."""

    power: Power
    under: int = 0

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        self.under += asked.does(EJECT) and self.power.on
        return on(asked)


@frozen
class TargetOrNothing:
    """A boot override without its target is refused, in plain words (sushy-tools main.py, in front of libvirt)."""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        boot = asked.body.get("Boot") if asked.method == "PATCH" else None
        if boot and "BootSourceOverrideTarget" not in boot:
            return Answer(400, "Missing the BootSourceOverrideTarget element")
        return on(asked)


@frozen
class ListsNothing:
    """Nothing tells which values are taken (iDRAC10; LP 2162995)."""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        answer = on(asked)
        return evolve(answer, body=_unlisted(answer.body))


@frozen
class MountsItsOwnWay:
    """There is a vendor's own way to mount images, and no other (Supermicro before X11; badfish 394)."""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        answer = on(asked)
        if asked.method == "GET" and "/Managers/" in asked.path and isinstance(answer.body, Mapping):
            own = {"Supermicro": {"VirtualMedia": {"@odata.id": "/redfish/v1/Managers/1/VM1"}}}
            return evolve(answer, body={**answer.body, "Oem": own})
        return answer


@define
class Starts:
    """Starts anew after an insertion: for so many requests it knows nothing that it had before, and has no systems.

    name  what its system is called afterwards, if not as before
    """

    looks: int = 4
    name: str = ""
    _left: int = 0
    _old: str = ""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        if self._left and asked.method == "GET" and asked.path.rstrip("/") != "/redfish/v1":
            self._left -= 1
            known = asked.path.rstrip("/").endswith("/Systems")
            return Answer(200, {"Members": []}) if known else refusal(404, "there is no such resource")
        if self._old and self.name:
            return self._renamed(asked, on)
        answer = on(asked)
        if asked.does(INSERT) and not self._old:
            self._left, self._old = self.looks, asked.path.split("/")[4]
        return answer

    def _renamed(self, asked: Asked, on: Pass) -> Answer:
        if f"/Systems/{self._old}" in asked.path:
            return refusal(404, "there is no such resource")
        answer = on(evolve(asked, path=asked.path.replace(f"/Systems/{self.name}", f"/Systems/{self._old}")))
        text = json.dumps(answer.body).replace(f"/Systems/{self._old}", f"/Systems/{self.name}")
        return evolve(answer, body=json.loads(text))


@define
class SharesManager:
    """Its manager has slots for two machines (a chassis of several; DSP0268, ManagerForServers)."""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        answer = on(asked)
        if asked.method != "GET" or "/Managers/" not in asked.path or not isinstance(answer.body, Mapping):
            return answer
        servers = [{"@odata.id": f"/redfish/v1/Systems/{each}"} for each in ("1", "2")]
        return evolve(answer, body={**answer.body, "Links": {"ManagerForServers": servers}})


@define
class Refuses:
    """Refuses the first requests of a kind: 409 after a power change, 503 with too many callers, 500 in POST.

    times    so many times
    message  what it says
    """

    method: str
    suffix: str
    status: int
    times: int = 1
    message: str = "not now"

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        if self.times and asked.method == self.method and asked.path.rstrip("/").endswith(self.suffix):
            self.times -= 1
            return refusal(self.status, self.message)
        return on(asked)


def _unlisted(body: Any) -> Any:
    if isinstance(body, Mapping):
        return {key: _unlisted(value) for key, value in body.items() if not key.endswith("@Redfish.AllowableValues")}
    return [_unlisted(item) for item in body] if isinstance(body, list) else body


def _is_system(path: str) -> bool:
    return path.rstrip("/").rpartition("/")[0].endswith("/Systems")


def _is_slot(body: Any) -> bool:
    return isinstance(body, Mapping) and "MediaTypes" in body


def _changed_system(asked: Asked, answer: Answer, more: Mapping[str, Any]) -> Answer:
    if asked.method == "GET" and _is_system(asked.path) and isinstance(answer.body, Mapping):
        return evolve(answer, body={**answer.body, **more})
    return answer
