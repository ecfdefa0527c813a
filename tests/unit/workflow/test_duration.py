"""Lengths of time as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from provisioner.errors import ProvError
from provisioner.workflow.duration import duration


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (timedelta(days=90), "90d"),
        (timedelta(hours=8760), "8760h"),
        (timedelta(hours=1, minutes=30), "1h30m"),
        (timedelta(seconds=1), "1s"),
    ],
)
def test_units_add_up(expected: timedelta, text: str) -> None:
    assert expected == duration(text)


@pytest.mark.parametrize("text", ["", "0d", "90", "d", "-1h", "1y", "1 h", "1.5h", "h1", "99999999999d", "1h\n"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ProvError, match="no length of time"):
        duration(text)
