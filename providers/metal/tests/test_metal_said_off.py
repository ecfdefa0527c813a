"""When a BMC that says "off" is believed, and when it lies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from prov_metal.looks import Looks, Marks
from prov_metal.said_off import AT_ONCE, LAG, MOMENT, SaidOff, Verdict, noted, said_in

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(seconds=5)


def verdicts(signs: str, patience: timedelta = MOMENT) -> list[Verdict]:
    """What each look comes to, one every five seconds from the first "off" on; `!` is a sign of life, `.` none."""
    said, found = SaidOff(BEGIN), list[Verdict]()
    for number, sign in enumerate(signs):
        now = BEGIN + number * STEP
        said = said.after(now, sign=sign == "!")
        found.append(said.verdict(now, patience))
    return found


@pytest.mark.parametrize(
    ("signs", "patience", "last"),
    [
        (".", AT_ONCE, "off"),
        (".", MOMENT, "wait"),
        ("...", MOMENT, "off"),
        ("...........", LAG, "wait"),
        ("." * 13, LAG, "off"),
        ("!", AT_ONCE, "wait"),
        ("!...", MOMENT, "wait"),
        ("!" + "." * 12, MOMENT, "off"),
        ("!" * 13, MOMENT, "wait"),
        ("!" * 14, MOMENT, "lie"),
        ("!....!....!....!", AT_ONCE, "lie"),
        ("!" + "." * 13 + "!", MOMENT, "wait"),
        ("!" * 14 + "." * 11, MOMENT, "wait"),
        ("!" * 14 + "." * 12, MOMENT, "off"),
    ],
)
def test_off_is_believed_after_quiet_and_a_lie_shows_in_a_minute(
    signs: str, patience: timedelta, last: Verdict
) -> None:
    """One sign asks for a minute of quiet; signs for longer than a minute are a lie, which quiet ends as well."""
    assert verdicts(signs, patience)[-1] == last


def test_nobody_is_called_a_liar_before_a_minute_is_over() -> None:
    """BMCs lag, and a machine that goes off may still be heard of."""
    assert "lie" not in verdicts("!" * 13)
    assert "off" not in verdicts("!" * 40)


@pytest.mark.parametrize("said", [None, SaidOff(BEGIN), SaidOff(BEGIN + STEP, BEGIN)])
def test_a_memo_keeps_what_was_said(said: SaidOff | None) -> None:
    """So that another process goes on; and nothing of what was said before stays."""
    memo = noted({"way": "media", "off_since": "x", "off_doubted": "y"}, said)

    assert said_in(memo) == said
    assert memo["way"] == "media"
    assert said is not None or memo == {"way": "media"}


def test_what_came_before_the_first_off_contradicts_nothing() -> None:
    """A look that begins anew takes things as they are; each host has marks of its own."""
    looks = Looks()
    looks.moved("r1u1", Marks(10, (1, 100)), anew=True)

    assert looks.moved("r1u1", Marks(90, (2, 0)), anew=True) == (False, False)
    assert looks.moved("r1u1", Marks(91, (2, 0)), anew=False) == (True, False)
    assert looks.moved("r1u1", Marks(91, (2, 7)), anew=False) == (False, True)
    assert looks.moved("r1u2", Marks(5, (9, 0)), anew=False) == (False, False)


def test_a_witness_counts_once_it_has_followed_the_power() -> None:
    """One that has said "on" only may never say anything else."""
    looks = Looks()

    assert not looks.contradicts("r1u1", "its chassis", on=True)
    assert not looks.contradicts("r1u1", "its chassis", on=False)
    assert looks.contradicts("r1u1", "its chassis", on=True)
    assert not looks.contradicts("r1u1", "its state", on=True)
    assert not looks.contradicts("r1u2", "its chassis", on=True)
