"""What a BMC has written down about its machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from beds.bmc.bed import BmcBed
from beds.bmc.logs import Logs
from prov_metal.bmc.driver import Event, HasEvents
from prov_metal.bmc.redfish import RedfishBmc

Ask = Callable[..., tuple[BmcBed, RedfishBmc]]
DAY = datetime(2026, 1, 1, tzinfo=UTC)


def _entries(count: int, word: str = "event") -> tuple[dict[str, Any], ...]:
    """The oldest first, a minute apart."""
    return tuple(
        {
            "Created": (DAY + timedelta(minutes=number)).isoformat(),
            "Severity": "OK",
            "Message": f"{word} {number}",
        }
        for number in range(count)
    )


def test_entries_have_time_severity_and_words(ask: Ask) -> None:
    """As the BMC wrote them; what has no message has at least a number, and what has no time comes first."""
    log = (
        {"Created": "2026-01-01T10:00:00+02:00", "Severity": "Critical", "Message": "Power supply 1\n lost input"},
        {"Severity": "Strange", "MessageId": "Base.1.0.Oops"},
        {
            "Created": "2026-01-01T09:00:00Z",
            "EventTimestamp": "2026-01-01T09:00:30Z",
            "Severity": "Warning",
            "Message": "b",
        },
        {"Created": "never", "Message": "c"},
    )
    _, bmc = ask(Logs("SEL", log))
    assert isinstance(bmc, HasEvents)
    assert bmc.events() == [
        Event(None, "ok", "Base.1.0.Oops"),
        Event(None, "ok", "c"),
        Event(datetime(2026, 1, 1, 8, tzinfo=UTC), "critical", "Power supply 1 lost input"),
        Event(datetime(2026, 1, 1, 9, 0, 30, tzinfo=UTC), "warning", "b"),
    ]


@pytest.mark.parametrize("page", [0, 20])
@pytest.mark.parametrize("links", [False, True])
@pytest.mark.parametrize("newest_first", [False, True])
def test_the_newest_fifty_are_given_the_newest_last(ask: Ask, page: int, links: bool, newest_first: bool) -> None:
    """Whichever end a log begins with, whether it comes in pages, and whether it gives entries or links to them."""
    entries = _entries(70)
    _, bmc = ask(Logs("IML", entries[::-1] if newest_first else entries, page=page, links=links))
    assert [event.text for event in bmc.events()] == [f"event {number}" for number in range(20, 70)]


def test_logs_of_machine_and_manager_are_one_story(ask: Ask) -> None:
    """Entries of both, by time; an entry that both have is one."""
    own, more = _entries(3, "machine"), (*_entries(2, "manager"), _entries(3, "machine")[2])
    _, bmc = ask(Logs("SEL", own), Logs("Lclog", more, holder="Managers"))
    texts = [event.text for event in bmc.events()]
    assert sorted(texts) == ["machine 0", "machine 1", "machine 2", "manager 0", "manager 1"]
    assert texts[-1] == "machine 2"


@pytest.mark.parametrize(
    "habits", [(), (Logs("SEL", ()),), (Logs("SEL", _entries(1), shut=True),), (Logs("AuditLog", _entries(1)),)]
)
def test_where_no_log_can_be_had_there_is_nothing(ask: Ask, habits: tuple[Logs, ...]) -> None:
    """No log, an empty one, one that may not be read, and one that is none of our business."""
    _, bmc = ask(*habits)
    assert bmc.events() == []
