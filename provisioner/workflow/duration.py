"""Lengths of time as people write them."""

from __future__ import annotations

import re
from datetime import timedelta

from provisioner.errors import ProvError

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_PARTS = re.compile(r"(\d+)([dhms])")
_LONGEST = timedelta(days=36_500)


def duration(text: str) -> timedelta:
    """`90d`, `12h`, `1h30m`; raises ProvError for anything else, and for no time at all."""
    parts = _PARTS.findall(text)
    if "".join(number + unit for number, unit in parts) == text:
        amounts = [(int(number[:9]), _UNITS[unit]) for number, unit in parts]
        found = sum((timedelta(**{unit: amount}) for amount, unit in amounts), timedelta())
        if timedelta() < found <= _LONGEST:
            return found
    raise ProvError(
        "this is no length of time",
        detail=repr(text),
        remedy="write days, hours, minutes or seconds, as in 90d or 12h30m",
    )
