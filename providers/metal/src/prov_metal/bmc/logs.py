"""What a BMC has written down: the logs of the machine and of its managers.

Vendors call them SEL, IML, Lclog, EventLog, Log1 and more, some give the newest entry first and some last, some give
entries and some links to them. All are read from the end that is newer, a few pages of each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from prov_metal.bmc.driver import Event
from prov_metal.bmc.machine import Machine, Resource, last_part

NEWEST = 50
_PAGES = 20
_LOGS = 4
_NOT_FOR_US = re.compile("audit|dump|debug|postcode|fault|journal|telemetry|telnet|security", re.IGNORECASE)
_EARLY = datetime.min.replace(tzinfo=UTC)
_LEVELS = {"ok": "ok", "warning": "warning", "critical": "critical"}


def events(machine: Machine) -> Sequence[Event]:
    """The newest entries of all logs, at most 50, the newest last; empty where there is no log."""
    found: dict[tuple[datetime | None, str], Event] = {}
    for log in _logs(machine):
        for event in _of(machine, log):
            found.setdefault((event.at, event.text), event)
    return sorted(found.values(), key=lambda event: event.at or _EARLY)[-NEWEST:]


def _logs(machine: Machine) -> list[Resource]:
    """The logs that tell of the machine's life, each once."""
    logs: dict[str, Resource] = {}
    for holder in (machine.system(), *machine.managers()):
        for log in machine.members(holder.get("LogServices")):
            if log.get("ServiceEnabled") is not False and not _NOT_FOR_US.search(last_part(str(log["@odata.id"]))):
                logs.setdefault(str(log["@odata.id"]), log)
    return list(logs.values())[:_LOGS]


def _of(machine: Machine, log: Resource) -> Iterator[Event]:
    link = log.get("Entries")
    if not isinstance(link, Mapping) or "@odata.id" not in link:
        return
    entries = _pages(machine, str(link["@odata.id"]))
    if entries and any("Created" not in entry and "Message" not in entry for entry in entries):
        first, last = (next(machine.linked([entry]), {}) for entry in (entries[0], entries[-1]))
        newer_first = _when(first) > _when(last)
        entries = list(machine.linked(entries[:NEWEST] if newer_first else entries[-NEWEST:]))
    yield from (Event(_instant(entry), _level(entry), _text(entry)) for entry in entries if _text(entry))


def _pages(machine: Machine, path: str) -> list[Any]:
    """The entries, or links to them where they are no more; of a very long log the first pages."""
    entries: list[Any] = []
    seen: set[str] = set()
    for _ in range(_PAGES):
        seen.add(path)
        reply = machine.wire.ask("GET", path)
        if not reply.fine:
            break
        entries += [entry for entry in reply.body.get("Members") or () if isinstance(entry, Mapping)]
        path = str(reply.body.get("Members@odata.nextLink") or reply.body.get("@odata.nextLink") or "")
        if not path or path in seen:
            break
    return entries


def _instant(entry: Resource) -> datetime | None:
    text = str(entry.get("EventTimestamp") or entry.get("Created") or "")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _when(entry: Resource) -> datetime:
    return _instant(entry) or _EARLY


def _level(entry: Resource) -> str:
    return _LEVELS.get(str(entry.get("Severity") or "").lower(), "ok")


def _text(entry: Resource) -> str:
    """Its words; its number where it has none."""
    return " ".join(str(entry.get("Message") or entry.get("MessageId") or entry.get("Name") or "").split())
