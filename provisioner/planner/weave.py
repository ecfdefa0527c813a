"""Rollouts woven into steps: who has to wait for whose turn to end, and what is looked at before and after."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from attrs import evolve, frozen

from provisioner.model.address import Address
from provisioner.model.rollout import Ground, Rollout, Watch
from provisioner.model.state import Entry, State
from provisioner.model.step import Check, Create, Delete, Forget, Keep, Run, Step, Update
from provisioner.model.value import refs
from provisioner.planner import grounds
from provisioner.planner.edges import Edge, Edges
from provisioner.planner.kinds import Kinds

Steps = Mapping[Address, tuple[Step, ...]]


@frozen
class _Turn:
    """One member's turn, as ids: the steps that change it, what is looked at then, what goes last.

    `down` says that it does no service before its turn either.
    """

    steps: tuple[str, ...]
    checks: tuple[str, ...]
    last: tuple[str, ...]
    down: bool

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.steps, *self.checks, *self.last)


class Weaver:
    """Weaves rollouts in, one after the other; those before have the better right to their order.

    `down` are those on record that do no service now. `turn` has for each step the ids of those that must have ended
    before: an edge like others, but for what follows from a failure. `told` has what people should know of a step
    besides what its kind says.
    """

    def __init__(self, steps: Steps, down: Collection[Address], state: State, kinds: Kinds, edges: Edges) -> None:
        self._steps = steps
        self._down = down
        self._kinds = kinds
        self._edges = edges
        self.turn: dict[str, dict[str, None]] = defaultdict(dict)
        self.told: dict[str, str] = {}
        self._before: dict[str, list[Check]] = defaultdict(list)
        self._behind: dict[str, list[Check]] = defaultdict(list)
        self._on_record: dict[str, list[Entry]] = defaultdict(list)
        for entry in state.entries.values():
            self._on_record[entry.address.kind].append(entry)

    def weave(self, rollout: Rollout) -> Rollout | None:
        """Members whose steps touch what stands take turns of `max_unavailable`; None if nothing comes of it.

        Those that are down and are removed or made anew come first: they are unavailable already, and stay so until
        then. Members that go for good wait for the new ones besides.
        """
        members = self._members(rollout)
        if all(_goes(self._steps[address]) for address in members):
            return None  # everything goes: there is nothing left to keep available
        self._must_wait(self._places_first(members))
        stirred = self._stirred(rollout)
        touched = [one for one in members if one in stirred or _disturbs(self._steps[one]) or self._is_down(one)]
        touched.sort(key=lambda one: not (self._is_down(one) or (one in stirred and one in self._down)))
        held = len(touched) > rollout.max_unavailable
        watched = rollout.before or rollout.after_each or stirred
        if not touched or not (held or watched or rollout.on_failure == "rollback"):
            return None
        looks = {one: self._look_at_ground(one, ground) for one, ground in stirred.items()}
        firsts = {one: looks[one][0] if one in looks else self._steps[one][0].id for one in touched}
        touched = self._in_order(touched, firsts) if held else touched
        if rollout.before is not None:
            self._look_before(rollout, rollout.before, [firsts[one] for one in touched])
        turns = [self._turn_of(rollout, one, looks.get(one, ())) for one in touched]
        self._take_turns(turns, rollout.max_unavailable)
        self._others_after(turns[-rollout.max_unavailable :], {ground.address for ground in stirred.values()})
        return evolve(rollout, turns=tuple(turn.all for turn in turns), grounds={})

    def with_checks(self, steps: Iterable[Step]) -> Iterator[Step]:
        """All steps, with those of the rollouts' own where they belong."""
        for step in steps:
            yield from self.with_checks(self._before.get(step.id, ()))
            yield step
            yield from self.with_checks(self._behind.get(step.id, ()))

    # who takes part

    def _members(self, rollout: Rollout) -> list[Address]:
        leaving = [
            entry.address
            for kind in dict.fromkeys(member.kind for member in rollout.members)
            for entry in self._on_record.get(kind, ())
            if all(entry.applied.get(name) == value for name, value in rollout.where.items())
        ]
        return [one for one in dict.fromkeys((*rollout.members, *sorted(leaving))) if self._steps.get(one)]

    def _is_down(self, address: Address) -> bool:
        """Whether a member does no service, and its steps end that: it goes, or is made anew."""
        return address in self._down and any(isinstance(step, Create | Delete) for step in self._steps[address])

    def _places_first(self, members: Sequence[Address]) -> Iterator[Edge]:
        """Those that take the places of others come first: in between there are more of them, never fewer.

        One that is down has no place to be taken, and waits for nobody. Who counts votes may even not let anybody
        join as long as it is counted: etcd does not.
        """
        groups = {address: self._steps[address] for address in members}
        added = [group[-1].id for group in groups.values() if isinstance(group[0], Create) and not group[0].deposes]
        for address, group in groups.items():
            if _goes(group) and not self._is_down(address):
                yield from ((group[0].id, id_) for id_ in added)

    def _in_order(self, touched: Sequence[Address], firsts: Mapping[Address, str]) -> list[Address]:
        """Members in the order given, but for those that have to begin before others anyway.

        `firsts` are the ids with which they begin.
        """
        place = {firsts[address]: index for index, address in enumerate(touched)}
        rank = dict.fromkeys(self._edges, -1) | place
        return [touched[place[id_]] for id_ in self._edges.order(rank) if id_ in place]

    # what members stand on

    def _stirred(self, rollout: Rollout) -> Mapping[Address, Ground]:
        """Those that a change of what they stand on interrupts; what is made anew is no such change."""
        return {
            member: ground
            for member, ground in rollout.grounds.items()
            if member in self._steps and grounds.interrupted(self._steps.get(ground.address, ()), self._kinds)
        }

    def _look_at_ground(self, member: Address, ground: Ground) -> tuple[str, ...]:
        """The ids of what interrupts a member's ground, with a look right before it, and one after it at the end.

        The look before comes last of all that the first step waits for, so that what it finds still holds then. The
        one after it is looked at once the member itself has come to an end, too.
        """
        steps = [step.id for step in self._steps[ground.address]]
        first, last, own = steps[0], steps[-1], self._own(member)
        before, after = grounds.before(ground, member, self._kinds), grounds.after(ground, member, self._kinds)
        self._edges.insert(before.id, self._edges.after(first))
        self._edges.add(first, (before.id,))
        self._edges.wish((id_, last) for id_ in own[:1])
        self._edges.insert(after.id, (last, *own[-1:]))
        self._before[first].append(before)
        self._behind[own[-1] if own else last].append(after)
        self.told[first] = ground.told
        for check in (before, after):
            self._need_what_it_refers_to(check)
        return (before.id, *steps, *own, after.id)

    def _others_after(self, last: Sequence[_Turn], stirred: Collection[Address]) -> None:
        """What else of these kinds is interrupted waits for the last turns to end.

        Its provider may let one go at a time on its own account; what was looked at for a member would be long past
        by the time that it is the member's turn there.
        """
        kinds = {address.kind for address in stirred}
        others = (address for address in self._steps if address.kind in kinds and address not in stirred)
        firsts = [self._steps[one][0].id for one in others if grounds.interrupted(self._steps[one], self._kinds)]
        wishes = self._fresh((first, id_) for first in firsts for turn in last for id_ in turn.all)
        refused = self._edges.wish(wishes)
        self._remember(set(wishes) - set(refused))

    def _own(self, member: Address) -> list[str]:
        """The ids of a member's own steps, but for what it has left to remove."""
        group = self._steps[member]
        if not _disturbs(group) and not self._is_down(member):
            return []
        return [step.id for step in group if not (isinstance(step, Delete) and step.deposed)]

    # edges

    def _take_turns(self, turns: Sequence[_Turn], at_once: int) -> None:
        """Each member waits for the one `at_once` before it to have ended, and for those that are down before that.

        What a member has left to remove is no part of its turn if that waits for others of the rollout. Whom an
        earlier one cannot be done without cannot wait for it; then the next one waits for both.
        """
        firsts = [turn.steps[0] for turn in turns]
        pairs = list(_pairs(turns, at_once))
        whole = self._fresh((first, id_) for first, turn in pairs for id_ in turn.all)
        if self._edges.all_or_none(whole):
            self._remember(whole)
            return
        wishes = self._fresh((first, id_) for first, turn in pairs for id_ in (*turn.steps, *turn.checks))
        refused = self._edges.wish(wishes)
        self._remember(set(wishes) - set(refused))
        self._carry_on(refused, firsts)

    def _carry_on(self, refused: Iterable[Edge], firsts: Sequence[str]) -> None:
        """Who could not wait leaves it to the next one that can, by an order in which all can be done."""
        place = {first: index for index, first in enumerate(firsts)}
        moment = {id_: index for index, id_ in enumerate(self._edges.order(dict.fromkeys(self._edges, -1) | place))}
        for first, id_ in refused:
            rest = itertools.islice(firsts, place[first] + 1, None)
            later = next((one for one in rest if moment[one] > moment[id_]), None)
            fresh = self._fresh([(later, id_)]) if later is not None else []
            self._edges.add_all(fresh)
            self._remember(fresh)

    def _fresh(self, edges: Iterable[Edge]) -> list[Edge]:
        return [(id_, other) for id_, other in dict.fromkeys(edges) if other not in self._edges.after(id_)]

    def _remember(self, edges: Collection[Edge]) -> None:
        for id_, other in sorted(edges):
            self.turn[id_][other] = None

    def _must_wait(self, edges: Iterable[Edge]) -> None:
        """Edges that also count where the other one fails, so far as they close no circle."""
        wanted = list(dict.fromkeys(edges))
        if not wanted:
            return
        self._edges.wish(wanted)
        for id_, other in wanted:
            self.turn[id_].pop(other, None)

    # checks

    def _turn_of(self, rollout: Rollout, address: Address, looks: Sequence[str]) -> _Turn:
        """A member's turn, with the check after it if the rollout has one: before what was deposed is removed.

        `looks` are its steps where what it stands on has some: they have the member's own among them.
        """
        group = self._steps[address]
        last = [step.id for step in group if isinstance(step, Delete) and step.deposed]
        steps = [*looks] or [step.id for step in group if step.id not in last]
        checks: list[str] = []
        if rollout.after_each is not None:
            check = self._check(rollout, rollout.after_each, f"after-{address.name}", grounds.AFTER)
            self._behind[steps[-1]].append(check)
            self._edges.insert(check.id, (steps[-1],))
            for id_ in last:
                self._edges.add(id_, (check.id,))
            self._need_what_it_refers_to(check)
            checks.append(check.id)
        return _Turn(tuple(steps), tuple(checks), tuple(last), self._is_down(address))

    def _look_before(self, rollout: Rollout, watch: Watch, firsts: Sequence[str]) -> None:
        check = self._check(rollout, watch, "before", "must hold before the first one is touched")
        self._before[firsts[0]].append(check)
        self._edges.insert(check.id)
        for first in firsts:
            self._edges.add(first, (check.id,))
        self._need_what_it_refers_to(check)

    def _check(self, rollout: Rollout, watch: Watch, part: str, reason: str) -> Check:
        address = Address(watch.kind, rollout.name)
        check = Check(
            address=address,
            provider=watch.provider,
            part=part,
            reasons=(reason,),
            wanted=self._kinds.of(address).closed(watch.props),
        )
        number = 2
        while check.id in self._edges:
            check, number = evolve(check, part=f"{part}-{number}"), number + 1
        return check

    def _need_what_it_refers_to(self, check: Check) -> None:
        used = dict.fromkeys(ref.to for ref in refs(dict(check.wanted)))
        making = (step.id for to in used for step in self._steps.get(to, ()) if not isinstance(step, Keep | Delete))
        self._edges.wish((check.id, id_) for id_ in making)


def _pairs(turns: Sequence[_Turn], at_once: int) -> Iterator[tuple[str, _Turn]]:
    """First steps, with the turns that have to end before.

    Who is in service is begun when with it at most `at_once` are unavailable: those not yet begun which are down are
    unavailable, too. Of these the last few will do, since they wait for those before them.
    """
    end = max((place + 1 for place, turn in enumerate(turns) if turn.down), default=0)
    for place in range(at_once, len(turns)):
        first, last = turns[place].steps[0], place - at_once
        yield first, turns[last]
        if not turns[place].down:
            further = turns[max(0, last - at_once + 1) : min(last, end)]
            yield from ((first, turn) for turn in further if turn.down)


def _goes(group: tuple[Step, ...]) -> bool:
    """Whether a member goes for good."""
    return isinstance(group[0], Delete | Forget) and len(group) == 1


def _disturbs(group: tuple[Step, ...]) -> bool:
    """Whether the steps of a member touch what stands."""
    return any(isinstance(step, Update | Run | Delete) for step in group)
