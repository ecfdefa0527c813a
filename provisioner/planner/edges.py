"""Edges between steps: those that must be, and those that are wished for as long as they close no circle."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeAlias

Edge: TypeAlias = tuple[str, str]
"""A step, and one that it waits for."""


class Edges:
    """What each step waits for, by id; all of it can be done in some order at any time."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._after: dict[str, dict[str, None]] = {id_: {} for id_ in ids}

    def add(self, id_: str, others: Iterable[str]) -> None:
        """Lets a step wait for others. That this closes no circle is for the caller to know."""
        self._after[id_].update(dict.fromkeys(others))

    def __iter__(self) -> Iterator[str]:
        return iter(self._after)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._after

    def add_all(self, edges: Iterable[Edge]) -> None:
        """Adds edges that close no circle."""
        for id_, other in edges:
            self._after[id_][other] = None

    def insert(self, id_: str, others: Iterable[str] = ()) -> None:
        """One more step, that waits for others."""
        self._after[id_] = dict.fromkeys(others)

    def after(self, id_: str) -> Collection[str]:
        """What a step waits for directly."""
        return self._after[id_]

    def wish(self, edges: Iterable[Edge]) -> list[Edge]:
        """Adds edges in turn, each unless it would close a circle with those before; returns the ones left out.

        Only edges within a knot of circles are looked at one by one, so what closes none costs next to nothing.
        """
        fresh = [(id_, other) for id_, other in dict.fromkeys(edges) if other not in self._after[id_]]
        self.add_all(fresh)
        knots = self._knots() if fresh else {}
        doubtful = [(id_, other) for id_, other in fresh if id_ in knots and knots[id_] == knots.get(other)]
        for id_, other in doubtful:
            del self._after[id_][other]
        refused: list[Edge] = []
        for id_, other in doubtful:
            if self._reaches(other, id_, knots):
                refused.append((id_, other))
            else:
                self._after[id_][other] = None
        return refused

    def all_or_none(self, edges: Iterable[Edge]) -> bool:
        """Adds edges if they close no circle, not even together; whether it did."""
        fresh = [(id_, other) for id_, other in dict.fromkeys(edges) if other not in self._after[id_]]
        self.add_all(fresh)
        if not self._knots():
            return True
        for id_, other in fresh:
            del self._after[id_][other]
        return False

    def order(self, rank: Mapping[str, int]) -> list[str]:
        """All steps, each after what it waits for; among those that could come next the one of the lowest rank."""
        waiting = {id_: len(others) for id_, others in self._after.items()}
        before = self._before()
        ready = [(rank[id_], id_) for id_, count in waiting.items() if count == 0]
        heapq.heapify(ready)
        done: list[str] = []
        while ready:
            _, id_ = heapq.heappop(ready)
            done.append(id_)
            for other in before.get(id_, ()):
                waiting[other] -= 1
                if waiting[other] == 0:
                    heapq.heappush(ready, (rank[other], other))
        assert len(done) == len(self._after), "the steps of a plan wait for each other in a circle"
        return done

    def _knots(self) -> Mapping[str, int]:
        """The steps that wait for themselves, through others; those that wait for each other have the same number."""
        before = self._before()
        rest = _peeled(self._after, before, self._after)
        rest = _peeled(before, self._after, rest) if rest else rest
        number: dict[str, int] = {}
        for count, id_ in enumerate(reversed(_by_end(self._after, rest))):
            if id_ not in number:
                _flood(before, rest, id_, count, number)
        sizes = Counter(number.values())
        return {id_: knot for id_, knot in number.items() if sizes[knot] > 1}

    def _before(self) -> Mapping[str, list[str]]:
        before: dict[str, list[str]] = defaultdict(list)
        for id_, others in self._after.items():
            for other in others:
                before[other].append(id_)
        return before

    def _reaches(self, id_: str, other: str, knots: Mapping[str, int]) -> bool:
        """Whether a step waits for another of its knot, directly or through steps of it."""
        found, stack, knot = {id_}, [id_], knots[id_]
        while stack:
            fresh = [one for one in self._after[stack.pop()] if knots.get(one) == knot and one not in found]
            if other in fresh:
                return True
            found.update(fresh)
            stack += fresh
        return False


def _by_end(needs: Mapping[str, Iterable[str]], among: Collection[str]) -> list[str]:
    """Those `among` in the order in which a search in depth along `needs` is done with them."""
    done: list[str] = []
    begun: set[str] = set()
    for start in among:
        stack = [] if start in begun else [(start, iter(needs[start]))]
        begun.add(start)
        while stack:
            id_, others = stack[-1]
            fresh = next((other for other in others if other in among and other not in begun), None)
            if fresh is None:
                done.append(id_)
                stack.pop()
            else:
                begun.add(fresh)
                stack.append((fresh, iter(needs[fresh])))
    return done


def _flood(
    back: Mapping[str, Iterable[str]], among: Collection[str], start: str, count: int, number: dict[str, int]
) -> None:
    """Gives a number to all that `back` leads to from a start and that has none yet."""
    stack = [start]
    number[start] = count
    while stack:
        fresh = [other for other in back.get(stack.pop(), ()) if other in among and other not in number]
        number.update(dict.fromkeys(fresh, count))
        stack += fresh


def _peeled(needs: Mapping[str, Iterable[str]], back: Mapping[str, Iterable[str]], among: Iterable[str]) -> set[str]:
    """Those `among` which are left when, again and again, what needs none of the others is taken away."""
    rest = set(among)
    waiting = {id_: sum(1 for other in needs.get(id_, ()) if other in rest) for id_ in rest}
    free = [id_ for id_, count in waiting.items() if count == 0]
    while free:
        id_ = free.pop()
        rest.discard(id_)
        for other in back.get(id_, ()):
            if other in rest:
                waiting[other] -= 1
                if waiting[other] == 0:
                    free.append(other)
    return rest
