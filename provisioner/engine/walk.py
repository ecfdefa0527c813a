"""Which step may run when: a graph of ids, walked as its members end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

from attrs import define, field

from provisioner.model.rollout import Rollout


class Outcome(Enum):
    """How a step ended."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@define
class _Queue:
    """A rollout as it goes: who of its members has failed, and whether it goes on."""

    rollout: Rollout
    failed: set[int] = field(factory=set)
    stopped: bool = False
    settled: bool = False


class Walk:
    """Hands out ids whose needs are done and whose turn it is.

    What needs a failed step is skipped, other branches go on. A turn comes when the step before has ended, well or
    not; but once more members of a rollout have failed than it has a budget for, those not begun yet are skipped.
    """

    def __init__(
        self,
        needs: Mapping[str, Iterable[str]],
        turns: Mapping[str, Iterable[str]] | None = None,
        rollouts: Sequence[Rollout] = (),
    ) -> None:
        self.outcome: dict[str, Outcome] = {}
        self._needs: dict[str, set[str]] = {}
        self._turns: dict[str, set[str]] = {}
        self._needed_by: dict[str, list[str]] = {}
        self._turn_of: dict[str, list[str]] = {}
        self._begun: set[str] = set()
        self._ready: list[str] = []
        self._queues = [_Queue(rollout) for rollout in rollouts]
        self._members = {
            id_: (queue, index)
            for queue in self._queues
            for index, ids in enumerate(queue.rollout.turns)
            for id_ in ids
        }
        self.add(needs, turns or {})

    def add(self, needs: Mapping[str, Iterable[str]], turns: Mapping[str, Iterable[str]]) -> None:
        """Adds ids with what they wait for; what is not in the walk is not waited for."""
        known = needs.keys() | self._needs.keys()
        for id_, wants in needs.items():
            self._needs[id_] = {need for need in wants if need in known and need not in self.outcome}
            self._turns[id_] = {turn for turn in turns.get(id_, ()) if turn in known and turn not in self.outcome}
            for need in self._needs[id_]:
                self._needed_by.setdefault(need, []).append(id_)
            for turn in self._turns[id_]:
                self._turn_of.setdefault(turn, []).append(id_)
            self._offer(id_)

    def take(self) -> list[str]:
        """The ids that may begin now; each is handed out once."""
        ready, self._ready = [id_ for id_ in self._ready if id_ not in self.outcome], []
        self._begun.update(ready)
        return ready

    def done(self, id_: str) -> None:
        """A step finished; its dependents may become ready."""
        self.outcome[id_] = Outcome.DONE
        for other in self._needed_by.get(id_, ()):
            self._needs[other].discard(id_)
            self._offer(other)
        self._pass_turn(id_)

    def failed(self, id_: str) -> list[tuple[str, str]]:
        """A step failed; the answer is what is skipped for it, as (id, because of)."""
        self.outcome[id_] = Outcome.FAILED
        skipped = self._skip(self._needed_by.get(id_, ()), id_)
        queue, index = self._members.get(id_, (None, 0))
        if queue is not None:
            queue.failed.add(index)
            if len(queue.failed) > queue.rollout.failure_budget:
                queue.stopped = True
                skipped += self._skip(self._not_begun(queue), id_)
        self._pass_turn(id_)
        return skipped

    def fallen(self) -> list[Rollout]:
        """The rollouts that have stopped and come to rest since this was asked last."""
        found = []
        for queue in self._queues:
            if not queue.stopped or queue.settled:
                continue
            if all(id_ in self.outcome for turn in queue.rollout.turns for id_ in turn):
                queue.settled = True
                found.append(queue.rollout)
        return found

    def count(self, outcome: Outcome) -> int:
        return sum(1 for found in self.outcome.values() if found is outcome)

    def __len__(self) -> int:
        return len(self._needs)

    def _offer(self, id_: str) -> None:
        if not (self._needs[id_] or self._turns[id_] or id_ in self._begun):
            self._ready.append(id_)

    def _pass_turn(self, id_: str) -> None:
        for other in self._turn_of.get(id_, ()):
            self._turns[other].discard(id_)
            self._offer(other)

    def _skip(self, ids: Iterable[str], because: str) -> list[tuple[str, str]]:
        """Skips ids and all that needs them."""
        skipped: list[tuple[str, str]] = []
        stack = list(ids)
        while stack:
            id_ = stack.pop()
            if id_ not in self.outcome:
                self.outcome[id_] = Outcome.SKIPPED
                skipped.append((id_, because))
                stack += self._needed_by.get(id_, ())
                self._pass_turn(id_)
        return skipped

    def _not_begun(self, queue: _Queue) -> list[str]:
        """The steps of members of which no step has been handed out."""
        return [id_ for turn in queue.rollout.turns if self._begun.isdisjoint(turn) for id_ in turn]
