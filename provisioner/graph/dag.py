"""A directed acyclic graph of any hashable things."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

N = TypeVar("N", bound=Hashable)


class Cycle(Exception):
    """The edges close a circle; `path` begins and ends with the same node."""

    def __init__(self, path: tuple[object, ...]) -> None:
        super().__init__(" → ".join(str(node) for node in path))
        self.path = path


class Dag(Generic[N]):
    """Nodes with edges to what they need first. Order of insertion decides between equals."""

    def __init__(self) -> None:
        self._needs: dict[N, dict[N, None]] = {}

    def add(self, node: N, needs: Iterable[N] = ()) -> None:
        """Adds a node and edges to what must come before it; adding again adds edges."""
        edges = self._needs.setdefault(node, {})
        for other in needs:
            self._needs.setdefault(other, {})
            edges[other] = None

    def __contains__(self, node: object) -> bool:
        return node in self._needs

    def __iter__(self) -> Iterator[N]:
        return iter(self._needs)

    def __len__(self) -> int:
        return len(self._needs)

    def needs(self, node: N) -> tuple[N, ...]:
        """What comes directly before the node."""
        return tuple(self._needs[node])

    def needed_by(self) -> Mapping[N, tuple[N, ...]]:
        """For every node what comes directly after it."""
        after: dict[N, list[N]] = {node: [] for node in self._needs}
        for node, edges in self._needs.items():
            for other in edges:
                after[other].append(node)
        return {node: tuple(others) for node, others in after.items()}

    def order(self) -> tuple[N, ...]:
        """All nodes, each after what it needs; raises Cycle."""
        rank = {node: index for index, node in enumerate(self._needs)}
        names = list(self._needs)
        waiting = {node: len(edges) for node, edges in self._needs.items()}
        after = self.needed_by()
        ready = [rank[node] for node, count in waiting.items() if count == 0]
        heapq.heapify(ready)
        done: list[N] = []
        while ready:
            node = names[heapq.heappop(ready)]
            done.append(node)
            for other in after[node]:
                waiting[other] -= 1
                if waiting[other] == 0:
                    heapq.heappush(ready, rank[other])
        if len(done) < len(self._needs):
            raise Cycle(self._circle({node for node, count in waiting.items() if count}))
        return tuple(done)

    def _circle(self, among: set[N]) -> tuple[N, ...]:
        """A circle inside `among`, whose members all have a need in it; always the same one."""
        path: dict[N, None] = {}
        node = next(node for node in self._needs if node in among)
        while node not in path:
            path[node] = None
            node = next(other for other in self._needs[node] if other in among)
        return (*itertools.dropwhile(lambda other: other != node, path), node)
