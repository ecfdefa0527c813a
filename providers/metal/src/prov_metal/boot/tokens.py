"""What makes the places of a host's secrets hard to guess, and keeps them out of sight.

A token follows from the state's data key, so it is the same for a run that goes on, on record nowhere, and known to
nobody who cannot open the state. It stands in URLs, which BMCs like to quote.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from provisioner.sdk import ProviderError

_TOKEN = re.compile(
    r"(?<![0-9a-f])[0-9a-f]{32}(?=/|%2[fF]|\\/)"  # before a slash, however that is written
    r"|(?<=/)[0-9a-f]{32}(?![0-9a-f])"  # or behind one
    r"|(?<=/)[0-9a-f]{8,31}$"  # or cut off
)
T = TypeVar("T")


def token(derive: Callable[[str], str], host: str, generation: int) -> str:
    """32 hexadecimal digits; `derive` is that of a verb's context. Another generation of a host has another one."""
    return derive(f"metal boot {host} {generation}")[:32]


def redacted(text: str) -> str:
    """The text without tokens, which stand beside a slash, as in the path of a URL."""
    return _TOKEN.sub("…", text)


def without_tokens(work: Callable[[], T]) -> T:
    """What the work gives; an error that leaves it has no token in it."""
    try:
        return work()
    except ProviderError as err:
        err.summary, err.detail, err.remedy = redacted(err.summary), redacted(err.detail), redacted(err.remedy)
        err.args = (err.summary,)
        raise
