"""Steps and the edges between them.

Making follows the references; removing goes against them, by what is on record. A replacement removes first, or last
if it makes first. What was deposed goes once nothing uses it any more. A gate comes after all that it watches, also
after the removal of what it used to watch. Rollouts are woven in last, as further edges.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping

from attrs import evolve, frozen

from provisioner.graph.resources import ResourceGraph
from provisioner.model.address import Address
from provisioner.model.rollout import Rollout
from provisioner.model.state import Entry, State
from provisioner.model.step import Check, Create, Delete, Forget, Keep, Step
from provisioner.planner.edges import Edge, Edges
from provisioner.planner.kinds import Kinds
from provisioner.planner.weave import Weaver

Steps = Mapping[Address, tuple[Step, ...]]
Leftovers = Mapping[Address, tuple[Delete, ...]]


def ordered(
    steps: Steps,
    leftovers: Leftovers,
    graph: ResourceGraph,
    state: State,
    kinds: Kinds,
    down: Collection[Address],
) -> tuple[tuple[Step, ...], tuple[Rollout, ...]]:
    """All steps with their edges, in an order in which they can run; and the rollouts that hold some of them back.

    `down` are those on record that do no service now.
    """
    everything = [step for group in steps.values() for step in group]
    everything += [step for group in leftovers.values() for step in group]
    edges = Edges(step.id for step in everything)
    _make(steps, graph, edges)
    _remove(steps, leftovers, graph, state, edges)
    weaver = Weaver(steps, down, state, kinds, edges)
    woven = [weaver.weave(rollout) for rollout in graph.rollouts]
    by_id = {step.id: step for step in weaver.with_checks(everything)}
    rank = {id_: index for index, id_ in enumerate(by_id)}
    told = (_told(by_id[id_], edges, weaver) for id_ in edges.order(rank))
    return tuple(told), tuple(rollout for rollout in woven if rollout is not None)


def _told(step: Step, edges: Edges, weaver: Weaver) -> Step:
    """A step with what it waits for."""
    turn = weaver.turn.get(step.id, {})
    after = tuple(sorted(id_ for id_ in edges.after(step.id) if id_ not in turn))
    step = evolve(step, after=after, turn=tuple(sorted(turn))) if after or turn else step
    told = weaver.told.get(step.id)
    return evolve(step, consequence="; ".join(filter(None, (step.consequence, told)))) if told else step


def makers(group: Iterable[Step]) -> list[Step]:
    """The steps that bring an address to what it shall be, one after the other."""
    return [step for step in group if not isinstance(step, Keep | Delete | Forget)]


def _make(steps: Steps, graph: ResourceGraph, edges: Edges) -> None:
    """What makes or changes waits for what makes or changes its needs, and for the step before of its own address.

    Through what is kept it waits for those of its needs.
    """
    making: dict[Address, tuple[str, ...]] = {}
    for address, group in steps.items():
        needs = graph.needs.get(address, ())
        behind = [id_ for need in needs for id_ in making.get(need, ())] if needs else []
        own = makers(group)
        if own:
            edges.add(own[0].id, behind)
        for before, step in itertools.pairwise(group):
            edges.add(step.id, (before.id,))
        making[address] = (own[-1].id,) if own else tuple(dict.fromkeys(behind))


def _remove(steps: Steps, leftovers: Leftovers, graph: ResourceGraph, state: State, edges: Edges) -> None:
    """What is removed waits for everything on record that was made after it, and for those that let go of it.

    The first of these wishes go before the later ones, should they not all be possible.
    """
    records = _Records(steps, leftovers, graph, state)
    wishes: dict[str, list[Edge]] = {"remove": [], "use": [], "check": [], "anew": [], "let go": []}
    for what, edge in records.wishes():
        wishes[what].append(edge)
    edges.wish(edge for group in wishes.values() for edge in group)


@frozen
class _Removal:
    """A step after which something recorded under an address is gone, or that makes anew what is gone already.

    `lasting` says that nothing takes its place, `deposed` that something has done so before.
    """

    id: str
    lasting: bool = False
    deposed: bool = False
    anew: bool = False


class _Records:
    """What is on record, with the steps that remove it."""

    def __init__(self, steps: Steps, leftovers: Leftovers, graph: ResourceGraph, state: State) -> None:
        self._steps = steps
        self._leftovers = leftovers
        self._graph = graph
        self._state = state
        self._removals: dict[Address, tuple[_Removal, ...]] = {}
        self._begun: set[Address] = set()
        self._settings = {name: self._with_all_below(to) for name, to in graph.configured.items()}
        """By instance, what its settings stand on: that is not served by them."""

    def wishes(self) -> Iterator[tuple[str, Edge]]:
        """Edges that are wished for on account of what is on record, with what each is for."""
        if not self._anything_goes():
            return
        for entry in self._state.entries.values():
            yield from self._of_entry(entry)
        for entry in self._state.deposed.values():
            (own,) = (step for step in self._leftovers[entry.address] if step.generation == entry.generation)
            for removal in self._below(entry):
                if removal.id != own.id:
                    yield "anew" if removal.anew else "remove", (removal.id, own.id)
        yield from self._of_users()

    def _anything_goes(self) -> bool:
        return bool(self._leftovers) or any(
            isinstance(step, Delete | Create) for address in self._state.entries for step in self._steps[address]
        )

    def _of_entry(self, entry: Entry) -> Iterator[tuple[str, Edge]]:
        below = self._below(entry)
        if not below:
            return
        group = self._steps[entry.address]
        gone = [step for step in group if isinstance(step, Delete)]
        last = makers(group)[-1:]
        for removal in below:
            what = "anew" if removal.anew else "remove"
            yield from ((what, (removal.id, step.id)) for step in gone if step.id != removal.id)
            for step in last:
                if removal.deposed:
                    yield "use", (removal.id, step.id)
                elif isinstance(step, Check):
                    yield "check", (step.id, removal.id)
                elif removal.lasting and not isinstance(step, Create):
                    yield "let go", (removal.id, step.id)

    def _of_users(self) -> Iterator[tuple[str, Edge]]:
        """What was deposed goes after all that has, or needs, what took its place."""
        deposed = {address: ids for address in self._steps if (ids := self._deposed(address))}
        for address, group in self._steps.items() if deposed else ():
            last = makers(group)[-1:]
            for used in (address, *self._graph.needs.get(address, ())) if last else ():
                yield from (("use", (id_, last[0].id)) for id_ in deposed.get(used, ()))

    def _deposed(self, address: Address) -> tuple[str, ...]:
        group = (*self._steps.get(address, ()), *self._leftovers.get(address, ()))
        return tuple(step.id for step in group if isinstance(step, Delete) and step.deposed)

    def _below(self, entry: Entry) -> tuple[_Removal, ...]:
        """The removals of what an entry was made after."""
        needs = self._needs(entry)
        if len(needs) == 1:
            return self._of(needs[0])
        return tuple(dict.fromkeys(removal for need in needs for removal in self._of(need)))

    def _needs(self, entry: Entry) -> tuple[Address, ...]:
        if entry.provider not in self._settings or entry.address in self._settings[entry.provider]:
            return entry.depends_on
        return (*entry.depends_on, *self._graph.configured[entry.provider])

    def _with_all_below(self, addresses: Iterable[Address]) -> set[Address]:
        found = {*addresses}
        stack = [*found]
        while stack:
            entry = self._state.entries.get(stack.pop())
            fresh = [need for need in entry.depends_on if need not in found] if entry is not None else []
            found.update(fresh)
            stack += fresh
        return found

    def _of(self, address: Address) -> tuple[_Removal, ...]:
        """The removals of something on record; through what is not removed, those of what it was made after.

        What is on record may name each other, if the order changed between two applies: a circle ends where it began.
        """
        stack = [address]
        while stack:
            top = stack[-1]
            own, further = self._own(top)
            ahead = [need for need in further if need not in self._removals and need not in self._begun]
            if top not in self._removals and top not in self._begun and ahead:
                self._begun.add(top)
                stack += ahead
                continue
            stack.pop()
            if top not in self._removals:
                behind = (removal for need in further for removal in self._removals.get(need, ()))
                self._removals[top] = tuple(dict.fromkeys((*own, *behind)))
        return self._removals[address]

    def _own(self, address: Address) -> tuple[tuple[_Removal, ...], tuple[Address, ...]]:
        """The removals under an address itself, and where to look further.

        What is gone already counts as removed by the step that makes it anew: that, too, waits until what was made
        after the old one is out of the way.
        """
        left = tuple(_Removal(step.id, lasting=True, deposed=True) for step in self._leftovers.get(address, ()))
        entry = self._state.entries.get(address)
        if entry is None:
            return left, ()
        for step in self._steps[address]:
            if isinstance(step, Delete):
                return (*left, _Removal(step.id, lasting=not step.replaced, deposed=step.deposed)), ()
        first = self._steps[address][0]
        if isinstance(first, Create):
            return (*left, _Removal(first.id, anew=True)), ()
        return left, self._needs(entry)
