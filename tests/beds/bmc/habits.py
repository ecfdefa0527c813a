"""What BMCs do that the emulator does not, each with where it was reported.

A habit is made anew for each bed, since some of them remember. SB is storyboard.openstack.org/#!/story/N, LP is
bugs.launchpad.net/ironic/+bug/N.
"""

from __future__ import annotations

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
class WantsEtag:
    """Changes need the ETag of what is changed, in exactly the form it accepts (Lenovo, AMI; gofish 171).

    strong  it gives weak tags and takes strong ones only (ansible community.general 3268)
    """

    strong: bool = False
    changes: int = 0

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        tag = f'"{self.changes}"'
        if asked.method == "PATCH":
            given = asked.headers.get("If-Match", "")
            if not given:
                return refusal(428, "If-Match is required")
            if given != tag:
                return refusal(412, "the resource has changed")
            self.changes += 1
        answer = on(asked)
        return evolve(answer, headers={**answer.headers, "ETag": f"W/{tag}" if self.strong else tag})


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


@define
class InsertByPatch:
    """There is no InsertMedia; the slot itself is changed (Lenovo XCC; python-redfish-lenovo 21)."""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        if asked.method == "PATCH" and "Image" in (asked.body or {}):
            action = INSERT if asked.body["Image"] else EJECT
            return on(evolve(asked, method="POST", path=f"{asked.path}/Actions/{action}"))
        answer = on(asked)
        return evolve(answer, body={**answer.body, "Actions": {}}) if _is_slot(answer.body) else answer


@frozen
class FirstSlotIsShut:
    """The first slot that takes discs is for consoles and takes no media (OpenBMC, Cisco C845A; ironic boot.py).

    status  what it answers to an insertion
    """

    status: int

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        if "/VirtualMedia/Console" in asked.path:
            if asked.method == "GET":
                slot = on(evolve(asked, path=asked.path.replace("Console", "Cd"))).body
                actions = {f"#{INSERT}": {"target": f"{asked.path}/Actions/{INSERT}"}}
                return Answer(
                    200, {**slot, "@odata.id": asked.path, "Inserted": False, "Image": "", "Actions": actions}
                )
            return refusal(self.status, "not here")
        answer = on(asked)
        if asked.path.rstrip("/").endswith("/VirtualMedia"):
            shut = {"@odata.id": f"{asked.path.rstrip('/')}/Console"}
            return evolve(answer, body={**answer.body, "Members": [shut, *answer.body["Members"]]})
        return answer


@frozen
class MediaUnderManagers:
    """Virtual media is linked from the manager only (older iDRAC, iLO; ironic boot.py)."""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        answer = on(asked)
        if _is_system(asked.path) and isinstance(answer.body, Mapping):
            return evolve(answer, body={key: value for key, value in answer.body.items() if key != "VirtualMedia"})
        return answer


@frozen
class CdIsUsb:
    """Virtual media is the boot target UsbCd (Supermicro; sushy system.py)."""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        target = _boot(asked).get("BootSourceOverrideTarget")
        if target == "Cd":
            return refusal(400, "Cd is not there")
        if target == "UsbCd":
            asked = evolve(asked, body={"Boot": {**asked.body["Boot"], "BootSourceOverrideTarget": "Cd"}})
        answer = on(asked)
        if not _is_system(asked.path) or not isinstance(answer.body, Mapping) or "Boot" not in answer.body:
            return answer
        key = "BootSourceOverrideTarget"
        boot = dict(answer.body["Boot"])
        boot[f"{key}@Redfish.AllowableValues"] = ["Pxe", "Hdd", "UsbCd"]
        boot[key] = "UsbCd" if boot.get(key) == "Cd" else boot.get(key)
        return evolve(answer, body={**answer.body, "Boot": boot})


@frozen
class BootInOne:
    """The boot source is changed with target, enabled and mode, or not at all (AMI; ironic management.py)."""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        boot = _boot(asked)
        if boot and len({"Target", "Enabled", "Mode"} & {key.removeprefix("BootSourceOverride") for key in boot}) < 3:
            return refusal(400, "the property BootSourceOverrideMode is missing")
        return on(asked)


@frozen
class TargetOrNothing:
    """A boot override without its target is refused, in plain words (sushy-tools main.py, in front of libvirt)."""

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        boot = _boot(asked)
        if boot and "BootSourceOverrideTarget" not in boot:
            return Answer(400, "Missing the BootSourceOverrideTarget element")
        return on(asked)


@define
class Refuses:
    """Refuses the first requests of a kind: 409 after a power change, 503 with too many sessions, 500 in POST.

    times  so many times
    """

    method: str
    suffix: str
    status: int
    times: int = 1

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        if self.times and asked.method == self.method and asked.path.rstrip("/").endswith(self.suffix):
            self.times -= 1
            return refusal(self.status, "not now")
        return on(asked)


def _boot(asked: Asked) -> Mapping[str, Any]:
    boot = asked.body.get("Boot") if asked.method == "PATCH" and isinstance(asked.body, Mapping) else None
    return boot if isinstance(boot, Mapping) else {}


def _is_system(path: str) -> bool:
    return path.rstrip("/").rpartition("/")[0].endswith("/Systems")


def _is_slot(body: Any) -> bool:
    return isinstance(body, Mapping) and "MediaTypes" in body


def _changed_system(asked: Asked, answer: Answer, more: Mapping[str, Any]) -> Answer:
    if asked.method == "GET" and _is_system(asked.path) and isinstance(answer.body, Mapping):
        return evolve(answer, body={**answer.body, **more})
    return answer
