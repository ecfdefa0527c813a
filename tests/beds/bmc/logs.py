"""Logs as vendors keep them; the emulator has none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve, frozen
from beds.bmc.exchange import Answer, Asked, Pass, refusal


@frozen
class Logs:
    """One log of the system or of its manager.

    name      such as SEL, IML, Lclog
    entries   in the order in which it gives them
    holder    `Systems` or `Managers`
    page      entries in a page; 0 for all in one
    links     it gives links to entries, not entries
    shut      it may not be read
    """

    name: str
    entries: tuple[Mapping[str, Any], ...]
    holder: str = "Systems"
    page: int = 0
    links: bool = False
    shut: bool = False

    def __call__(self, asked: Asked, on: Pass) -> Answer:
        if f"/{self.holder}Logs" in asked.path:
            return self._told(asked.path, asked.query)
        answer = on(asked)
        holder = asked.path.rstrip("/").rpartition("/")[0].rpartition("/")[2]
        if asked.method == "GET" and holder == self.holder and isinstance(answer.body, Mapping):
            link = {"@odata.id": f"/redfish/v1/{self.holder}Logs"}
            return evolve(answer, body={**answer.body, "LogServices": link})
        return answer

    def _told(self, path: str, query: str) -> Answer:
        base = f"/redfish/v1/{self.holder}Logs"
        below = path.removeprefix(base).strip("/").split("/")
        if below == [""]:
            members = [{"@odata.id": f"{base}/{name}"} for name in (self.name, "gone")]
            return Answer(200, {"@odata.type": "#LogServiceCollection.LogServiceCollection", "Members": members})
        if below[0] != self.name:
            return refusal(404, "no such log")
        entries = f"{base}/{self.name}/Entries"
        if len(below) == 1:
            about = {"@odata.type": "#LogService.v1_1_0.LogService", "Id": self.name, "ServiceEnabled": True}
            return Answer(200, {**about, "Entries": {"@odata.id": entries}})
        if len(below) == 3:
            return Answer(200, {"@odata.type": "#LogEntry.v1_4_0.LogEntry", **self.entries[int(below[2])]})
        return refusal(403, "not for you") if self.shut else self._page(entries, int(query.partition("=")[2] or 0))

    def _page(self, place: str, start: int) -> Answer:
        end = start + self.page if self.page else len(self.entries)
        shown = [
            {"@odata.id": f"{place}/{number}"} | ({} if self.links else dict(self.entries[number]))
            for number in range(start, min(end, len(self.entries)))
        ]
        more = {"Members@odata.nextLink": f"{place}?$skip={end}"} if end < len(self.entries) else {}
        kind = {"@odata.type": "#LogEntryCollection.LogEntryCollection"}
        return Answer(200, {**kind, "Members": shown, "Members@odata.count": len(self.entries), **more})
