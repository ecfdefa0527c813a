"""When to read those whose turn it is: one listing for as many as possible, and not all the time.

Steps of one kind come due one by one, in the order in which their calls came back. Where a provider reads many at
the price of one, those that come due while a reading is under way wait for the next one; and after one that took
long there is a break of three times as long, so that reading takes a quarter of the time at most. Where all that is
left to do is to read those who wait, the break is over: it would spare nobody anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from typing import Final, TypeAlias

from attrs import define, field

from provisioner.engine.work import Work

Group: TypeAlias = tuple[str, str]
"""Instance and kind."""
BREAK: Final = 3.0
MOST_S: Final = 5.0
"""How long anybody waits for a reading under way, or for the end of a break."""


@define
class _Turn:
    """The readings of one group. `not_before` is the end of the break, `began` when the last one was, or is to be."""

    waiting: list[Work] = field(factory=list)
    under_way: int = 0
    began: float = 0.0
    not_before: float = 0.0

    def due_at(self) -> float:
        """When those who wait are to be read; infinity where nobody waits."""
        if not self.waiting:
            return inf
        return self.began + MOST_S if self.under_way else self.not_before


@define
class Looks:
    """Those who wait for a reading, by group."""

    _turns: dict[Group, _Turn] = field(factory=dict)

    def wait(self, group: Group, works: Sequence[Work]) -> None:
        """Their polls are due."""
        self._turns.setdefault(group, _Turn()).waiting.extend(works)

    def due(self, now: float, *, idle: bool = False) -> Iterator[tuple[Group, Sequence[Work]]]:
        """The groups to be read now, with all who wait in them; `idle` says that nothing else is left to do."""
        for group, turn in self._turns.items():
            if turn.due_at() <= now or (idle and turn.waiting):
                works, turn.waiting = turn.waiting, []
                turn.under_way, turn.began = turn.under_way + 1, now
                yield group, works

    def begun(self, group: Group, now: float) -> None:
        """A reading of the group was admitted; what it takes counts from here."""
        turn = self._turns.get(group)
        if turn is not None and turn.under_way:
            turn.began = now

    def ended(self, group: Group, now: float) -> None:
        """A reading of the group came back, or is given up."""
        turn = self._turns.get(group)
        if turn is not None and turn.under_way:
            turn.under_way -= 1
            turn.not_before = now + min(BREAK * (now - turn.began), MOST_S)

    def next(self) -> float:
        """When there may be something to read, without any call ending; infinity for never."""
        return min((turn.due_at() for turn in self._turns.values()), default=inf)

    @property
    def idle(self) -> bool:
        """Whether nobody waits."""
        return not any(turn.waiting for turn in self._turns.values())

    def clear(self) -> None:
        """Forgets everybody."""
        self._turns.clear()
