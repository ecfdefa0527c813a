"""Whether a machine is off, when its BMC says so. Pure.

    its BMC says that it is off
      ├─ and goes on saying so, and nothing contradicts ────────────────────► it is off
      ├─ a sign of life comes after that: from now on a minute of quiet is asked for
      └─ signs of life keep coming for longer than a minute ────────────────► its BMC lies

BMCs lag: they say what was true some seconds ago, and one that starts anew says "off" until it has looked. So neither
the first "off" nor the first contradiction decides anything. "on" is taken as it is said: nothing is done to a
machine that is on but to wait for it, or to press its switch.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from attrs import frozen

AT_ONCE = timedelta()
"""For where a mistake does no harm."""
MOMENT = timedelta(seconds=10)
"""How long "off" has to last where prov switched the machine off, or found it so."""
LAG = timedelta(minutes=1)
"""The same where a machine has gone off by itself, and after any contradiction: no BMC is that late."""

Verdict = Literal["off", "wait", "lie"]
_SINCE, _DOUBTED = "off_since", "off_doubted"


@frozen
class SaidOff:
    """What a BMC has said in every look since.

    since    when it said so first, or when it was contradicted last
    doubted  when a sign of life contradicted it first; None where none has
    """

    since: datetime
    doubted: datetime | None = None

    def after(self, now: datetime, *, sign: bool) -> SaidOff:
        """The same after one more look. Signs that are further apart than a lag are no row of them."""
        if not sign:
            return self
        row = self.doubted is not None and now - self.since <= LAG
        return SaidOff(now, self.doubted if row else now)

    def verdict(self, now: datetime, patience: timedelta) -> Verdict:
        quiet = now - self.since
        if self.doubted is not None and not quiet and self.since - self.doubted > LAG:
            return "lie"
        return "off" if quiet >= (patience if self.doubted is None else LAG) else "wait"


def said_in(memo: Mapping[str, str]) -> SaidOff | None:
    """What a memo has of it; None where the last look found the machine on, or there was none."""
    if _SINCE not in memo:
        return None
    doubted = memo.get(_DOUBTED)
    return SaidOff(datetime.fromisoformat(memo[_SINCE]), datetime.fromisoformat(doubted) if doubted else None)


def noted(memo: Mapping[str, str], said: SaidOff | None) -> dict[str, str]:
    """The memo with it instead of what it had."""
    kept = {name: text for name, text in memo.items() if name not in (_SINCE, _DOUBTED)}
    if said is not None:
        kept[_SINCE] = said.since.isoformat()
    if said is not None and said.doubted is not None:
        kept[_DOUBTED] = said.doubted.isoformat()
    return kept
