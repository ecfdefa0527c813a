"""An iDRAC, as far as it differs: attributes of its manager decide what the firmware sees of virtual media."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, evolve, field
from beds.bmc.exchange import Answer, Asked, Pass, refusal

INSERT = "VirtualMedia.InsertMedia"
ATTRIBUTES = "/redfish/v1/Managers/iDRAC.Embedded.1/Oem/Dell/DellAttributes/iDRAC.Embedded.1"
_FACTORY = {
    "ServerBoot.1.BootOnce": "Disabled",
    "ServerBoot.1.FirstBootDevice": "Normal",
    "VirtualMedia.1.Attached": "Detached",
    "VirtualConsole.1.PluginType": "eHTML5",
}


@define
class Idrac:
    """One with a firmware, in a machine of a generation such as `15G Monolithic`.

    plug_in  insertions fail while the plug-in of the console is eHTML5 (4.40; openshift-docs 32022)
    plain    its manager names its attributes without a way through `Links`
    """

    firmware: str
    generation: str = "15G Monolithic"
    plug_in: bool = False
    plain: bool = False
    attributes: dict[str, Any] = field(factory=lambda: dict(_FACTORY))

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        if asked.path == ATTRIBUTES:
            if asked.method == "PATCH":
                self.attributes.update(asked.body["Attributes"])
            return Answer(200, {"Attributes": dict(self.attributes)})
        if asked.does(INSERT) and self.plug_in and self.attributes["VirtualConsole.1.PluginType"] != "HTML5":
            return refusal(500, "unable to mount the image")
        answer = on(asked)
        holder = asked.path.rstrip("/").rpartition("/")[0].rpartition("/")[2]
        if asked.method != "GET" or not isinstance(answer.body, Mapping):
            return answer
        if holder == "Systems":
            return evolve(answer, body={**answer.body, "Manufacturer": "Dell Inc.", "Model": "PowerEdge R650"})
        if holder == "Managers":
            return evolve(answer, body={**answer.body, **self._manager(answer.body)})
        return answer

    def _manager(self, body: Mapping[str, Any]) -> dict[str, Any]:
        about = {"Model": self.generation, "FirmwareVersion": self.firmware}
        link = {"@odata.id": ATTRIBUTES}
        if self.plain:
            return about | {"Attributes": link}
        others = [{"@odata.id": ATTRIBUTES.replace("iDRAC.Embedded.1", name)} for name in ("System.Embedded.1",)]
        return about | {"Links": {**body.get("Links", {}), "Oem": {"Dell": {"DellAttributes": [*others, link]}}}}

    @property
    def boots_from_media(self) -> bool:
        """Whether the next start is one from the virtual drive."""
        wanted = {"ServerBoot.1.BootOnce": "Enabled", "ServerBoot.1.FirstBootDevice": "VCD-DVD"}
        return wanted.items() <= self.attributes.items()
