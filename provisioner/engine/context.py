"""What the world looks like to one call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from attrs import frozen


@frozen
class CallContext:
    """The clock, a way to tell the person watching, and whether the run is being stopped."""

    now: Callable[[], datetime]
    say: Callable[[str], None]
    cancelled: Callable[[], bool]
