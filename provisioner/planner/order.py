"""Steps and the edges between them.

Making follows the references; removing goes against them, by what is on record; a replacement removes first.
A gate comes after all that it watches, also after the removal of what it used to watch. Rollouts are woven in
last, as further edges.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import evolve

from provisioner.graph.dag import Dag
from provisioner.model.address import Address
from provisioner.model.rollout import Rollout
from provisioner.model.state import State
from provisioner.model.step import Check, Create, Delete, Forget, Keep, Step, Update

Steps = Mapping[Address, tuple[Step, ...]]


def ordered(
    steps: Steps, needs: Mapping[Address, tuple[Address, ...]], state: State, rollouts: Iterable[Rollout]
) -> tuple[tuple[Step, ...], tuple[Rollout, ...]]:
    """All steps with their edges, in an order in which they can run; and the rollouts that hold some of them back."""
    edges = _Edges(steps, needs, state)
    edges.make()
    edges.remove()
    woven = tuple(rollout for rollout in rollouts if edges.weave(rollout))
    return edges.sorted(), woven


class _Edges:
    def __init__(self, steps: Steps, needs: Mapping[Address, tuple[Address, ...]], state: State) -> None:
        self._steps = steps
        self._needs = needs
        self._state = state
        self._by_id = {step.id: step for group in steps.values() for step in group}
        self._after: dict[str, dict[str, None]] = {id_: {} for id_ in self._by_id}
        self._behind: dict[Address, tuple[str, ...]] = {}
        self._going: dict[Address, tuple[Step, ...]] = {}

    def make(self) -> None:
        """What makes or changes waits for what makes or changes its needs; a replacement for its removal."""
        for address, group in self._steps.items():
            for step in group:
                if isinstance(step, Create | Update | Check):
                    for need in self._needs.get(address, ()):
                        self._wait(step, self._making(need))
                if isinstance(step, Create):
                    self._wait(step, [other.id for other in group if isinstance(other, Delete)])

    def remove(self) -> None:
        """What is removed waits for everything on record that was made after it, and for those that let go of it."""
        letting_go: list[tuple[Step, Step]] = []
        for entry in self._state.entries.values():
            removals = [removal for need in entry.depends_on for removal in self._removals(need)]
            for step in self._steps.get(entry.address, ()):
                for removal in removals:
                    if isinstance(step, Check):
                        self._wait(step, [removal.id])
                    elif isinstance(step, Delete):
                        self._wait_if_free(removal, step.id)
                    elif isinstance(step, Update) and self._gone_for_good(removal):
                        letting_go.append((removal, step))
        for removal, step in letting_go:
            self._wait_if_free(removal, step.id)

    def weave(self, rollout: Rollout) -> bool:
        """Members whose steps touch what stands go in batches of `max_unavailable`; whether any has to wait.

        Members that go for good wait for the new ones besides.
        """
        members = self._members(rollout)
        if all(isinstance(self._steps[address][-1], Delete | Forget) for address in members):
            return False  # everything goes: there is nothing left to keep available
        # Those that take the places of others come first: in between there are more of them, never fewer.
        added = [self._steps[address][-1].id for address in members if isinstance(self._steps[address][0], Create)]
        for address in members:
            if isinstance(self._steps[address][-1], Delete):
                for id_ in added:
                    self._wait_if_free(self._steps[address][0], id_)
        touched = self._turns([address for address in members if self._disturbs(address)])
        before: list[str] = []
        for index in range(rollout.max_unavailable, len(touched)):
            first = self._steps[touched[index]][0]
            before.append(self._steps[touched[index - rollout.max_unavailable]][-1].id)
            # Whom an earlier one cannot be done without cannot wait for it; then the next one waits for both.
            before = [id_ for id_ in before if not self._wait_if_free(first, id_)]
        return len(touched) > rollout.max_unavailable

    def sorted(self) -> tuple[Step, ...]:
        dag: Dag[str] = Dag()
        for id_ in self._by_id:
            dag.add(id_, self._after[id_])
        return tuple(evolve(self._by_id[id_], after=tuple(sorted(self._after[id_]))) for id_ in dag.order())

    def _wait(self, step: Step, ids: Iterable[str]) -> None:
        self._after[step.id].update(dict.fromkeys(ids))

    def _wait_if_free(self, step: Step, id_: str) -> bool:
        """Lets a step wait for another unless that would close a circle; whether it does now."""
        free = step.id not in self._ancestors(id_)
        if free:
            self._wait(step, [id_])
        return free

    def _ancestors(self, id_: str) -> set[str]:
        """A step and all that it waits for."""
        found, stack = {id_}, [id_]
        while stack:
            fresh = self._after[stack.pop()].keys() - found
            found |= fresh
            stack += fresh
        return found

    def _turns(self, touched: list[Address]) -> tuple[Address, ...]:
        """Members in the order given, but for those that have to begin before others anyway."""
        by_first = {self._steps[address][0].id: address for address in touched}
        dag: Dag[Address] = Dag()
        for address in touched:
            dag.add(address)
        for id_, address in by_first.items():
            earlier = (self._ancestors(id_) - {id_}) & by_first.keys()
            dag.add(address, (by_first[other] for other in earlier))
        return dag.order()

    def _making(self, address: Address) -> tuple[str, ...]:
        """The steps to wait for on account of a need; through what is kept, those of its own needs."""
        known = self._behind.get(address)
        if known is None:
            group = self._steps.get(address, ())
            own = tuple(step.id for step in group if isinstance(step, Create | Update | Check))
            behind = [id_ for need in self._needs.get(address, ()) for id_ in self._making(need)]
            known = self._behind[address] = own or tuple(dict.fromkeys(behind))
        return known

    def _removals(self, address: Address) -> tuple[Step, ...]:
        """The removal of something on record; through what is not removed, those of what it was made after.

        What is gone already counts as removed by the step that makes it anew: that, too, waits until what was
        made after the old one is out of the way.
        """
        known = self._going.get(address)
        if known is None:
            self._going[address] = ()  # what is on record may name each other: order changed between two applies
            entry = self._state.entries.get(address)
            group = self._steps.get(address, ()) if entry else ()
            own = tuple(step for step in group if isinstance(step, Delete | Create))[:1]
            behind = [step for need in entry.depends_on for step in self._removals(need)] if entry and not own else []
            known = self._going[address] = own or tuple(behind)
        return known

    def _gone_for_good(self, removal: Step) -> bool:
        return isinstance(removal, Delete) and not removal.replaced

    def _members(self, rollout: Rollout) -> list[Address]:
        kinds = {member.kind for member in rollout.members}
        leaving = [
            entry.address
            for entry in self._state.entries.values()
            if entry.address.kind in kinds and all(entry.applied.get(k) == v for k, v in rollout.where.items())
        ]
        return [a for a in dict.fromkeys((*rollout.members, *sorted(leaving))) if self._steps.get(a)]

    def _disturbs(self, address: Address) -> bool:
        group = self._steps[address]
        return not isinstance(group[0], Keep | Create)
