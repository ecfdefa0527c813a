"""Reading before there is a run: what the remote asks to repeat is repeated a few times.

During a run the engine repeats, by its timers and governors. A plan has none of these, and for one call that was
throttled it shall neither end nor leave a whole kind uncompared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from provisioner.errors import EndpointDown, Retry

T = TypeVar("T")
ATTEMPTS: Final = 8
_FIRST_S: Final = 0.25


def patiently(work: Callable[[], T], wait: Callable[[float], None]) -> T:
    """What `work` gives; after a `Retry` it is called again, at first soon and then at the pace it asked for.

    An endpoint that is down is not asked again: its time-out was long enough.
    """
    for attempt in range(ATTEMPTS - 1):
        try:
            return work()
        except EndpointDown:
            raise
        except Retry as err:
            wait(min(err.after_s, _FIRST_S * 2**attempt))
    return work()
