"""Which step may run when: a graph of ids, walked as its members finish."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum


class Outcome(Enum):
    """How a step ended."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class Walk:
    """Hands out ids whose needs are done; what needs a failed one is skipped, other branches go on."""

    def __init__(self, needs: Mapping[str, Iterable[str]]) -> None:
        self._waiting = {id_: {need for need in wants if need in needs} for id_, wants in needs.items()}
        self._after: dict[str, list[str]] = {id_: [] for id_ in needs}
        for id_, wants in self._waiting.items():
            for need in wants:
                self._after[need].append(id_)
        self.outcome: dict[str, Outcome] = {}
        self._begun: set[str] = set()
        self._ready = [id_ for id_, wants in self._waiting.items() if not wants]

    def take(self) -> list[str]:
        """The ids that may begin now; each is handed out once."""
        ready, self._ready = [id_ for id_ in self._ready if id_ not in self.outcome], []
        self._begun.update(ready)
        return ready

    def done(self, id_: str) -> None:
        """A step finished; its dependents may become ready."""
        self.outcome[id_] = Outcome.DONE
        for other in self._after[id_]:
            self._waiting[other].discard(id_)
            if not self._waiting[other] and other not in self._begun:
                self._ready.append(other)

    def failed(self, id_: str) -> list[tuple[str, str]]:
        """A step failed; the answer is what is skipped for it, as (id, because of)."""
        self.outcome[id_] = Outcome.FAILED
        skipped: list[tuple[str, str]] = []
        stack = [(other, id_) for other in self._after[id_]]
        while stack:
            other, because = stack.pop()
            if other not in self.outcome:
                self.outcome[other] = Outcome.SKIPPED
                skipped.append((other, because))
                stack += [(further, because) for further in self._after[other]]
        return skipped

    def count(self, outcome: Outcome) -> int:
        return sum(1 for found in self.outcome.values() if found is outcome)
