"""What to do with each object, and why.

on record    found          wanted                      →
nothing      (not asked)    yes                         create
nothing      seen           yes, to be taken over       adopt, then update what differs
ready        seen           equal                       keep
ready        seen           other in place              update, in as many steps as the kind takes
ready        seen           other where immutable       replace: delete, then create; or the other way round
ready        seen           protected otherwise         update, so that it is on record
ready        absent         yes                         create anew ("it is gone")
ready        out of reach   equal to what is recorded   keep, with a note
ready        out of reach   other                       as if seen as recorded
ready        any            equal, with actions owed    run what is owed
in flight    (not asked)    yes                         finish what the earlier run began
to be gone   seen           yes                         update: the removal had not come anywhere, and is taken back
to be gone   otherwise      yes                         replace, or create anew
failed       (not asked)    yes                         replace: it may exist in part
any          any            no                          delete, in the manner its kind plans
deposed      (not asked)    any                         delete, once nothing uses it
a gate       (not asked)    yes                         check, unless it passed with these very props and all
                                                        that it needs is kept
a lookup     seen           yes                         keep; else look up during apply
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from attrs import evolve, frozen

from provisioner.errors import Place, Problem
from provisioner.graph.resources import ResourceGraph
from provisioner.model.address import Address
from provisioner.model.resource import Absent, Reading, Resource, Seen, Unreachable
from provisioner.model.state import Entry, State, Status
from provisioner.model.step import Adopt, Delete, Forget, Keep, Step
from provisioner.model.value import Function, Value, is_known, refs
from provisioner.planner.case import Case
from provisioner.planner.compare import changes, differ
from provisioner.planner.erase import erasing
from provisioner.planner.expand import outstanding, owed_by
from provisioner.planner.foresee import Foresight
from provisioner.planner.kinds import Kinds, Known
from provisioner.planner.problems import (
    adoption_unknown,
    astray,
    cannot_adopt,
    ill_formed,
    no_answer,
    nothing_found,
    nothing_to_adopt,
    place_of,
    protected,
    taken,
    unlike,
)
from provisioner.planner.standing import cannot_change, compared, out_of_reach, why


@frozen
class Decided:
    """The steps for every address, before edges, and those that remove what was deposed earlier."""

    steps: Mapping[Address, tuple[Step, ...]]
    leftovers: Mapping[Address, tuple[Delete, ...]]
    problems: tuple[Problem, ...]
    outputs: Mapping[str, Value]
    found: Mapping[Address, Mapping[str, Value]]


class Decider:
    """Goes through the wanted resources in order, so that each sees what its references will be."""

    def __init__(
        self,
        graph: ResourceGraph,
        state: State,
        seen: Mapping[Address, Reading],
        kinds: Kinds,
        functions: Mapping[str, Function],
        why_unwanted: str,
        allow: frozenset[str] = frozenset(),
    ) -> None:
        self._graph = graph
        self._allow = allow
        self._state = state
        self._seen = seen
        self._kinds = kinds
        self._why_unwanted = why_unwanted
        self._steps: dict[Address, tuple[Step, ...]] = {}
        self._problems: list[Problem] = []
        self._found: dict[Address, Mapping[str, Value]] = {}
        self._adopted: dict[Address, Mapping[str, Value]] = {}
        self._foresight = Foresight(state, kinds, functions, self._steps, self._found, self._adopted, self._problems)
        self._deposed: dict[Address, list[Entry]] = defaultdict(list)
        for entry in state.deposed.values():
            self._deposed[entry.address].append(entry)
        unwanted = state.entries.keys() - graph.resources.keys()
        gone = (address for address, reading in seen.items() if isinstance(reading, Absent))
        self._going = frozenset({*unwanted, *gone})
        self._moving: set[Address] = set()
        """Where anything changes, at an address or at what it needs."""
        self._removal = RemovalOrder(graph, state)

    def decide(self) -> Decided:
        for resource in self._graph.resources.values():
            steps = self._wanted(resource)
            self._steps[resource.address] = steps
            self._removal.note(resource.address, steps)
            if not isinstance(steps[0], Keep) or not self._moving.isdisjoint(self._graph.needs[resource.address]):
                self._moving.add(resource.address)
        for address in sorted(self._state.entries.keys() - self._graph.resources.keys()):
            self._steps[address] = (self._unwanted(self._state.entries[address]),)
        self._unanswered()
        outputs = {name: self._foresight.value(value, Place()) for name, value in self._graph.outputs.items()}
        return Decided(self._steps, self._leftovers(), tuple(self._problems), outputs, self._found)

    # what is wanted

    def _wanted(self, resource: Resource) -> tuple[Step, ...]:
        address = resource.address
        kind = self._kinds.of(address)
        props = self._foresight.props(resource.props, place_of(resource))
        complaints = list(kind.props.complaints(props))
        self._problems.extend(ill_formed(resource, name, sentence) for name, sentence in complaints)
        unknown = (path for path in resource.ignore if path.partition(".")[0] not in kind.props.fields)
        self._problems.extend(astray(resource, path) for path in unknown)
        case = Case(
            resource,
            kind,
            self._graph.needs[address],
            {} if complaints else kind.props.normal(props),
            self._state.entries.get(address),
            self._seen.get(address),
        )
        if complaints:
            return (case.keep(),)
        if resource.adopts and not kind.imports:
            self._problems.append(cannot_adopt(resource))
            return (case.keep(),)
        if kind.gate:
            return (self._gate(case),)
        if kind.look_up:
            return (self._lookup(case),)
        if case.entry is not None:
            return self._on_record(case, case.entry)
        return self._adopt(case) if resource.adopts else (case.create(self._next(address), ("not there yet",)),)

    def _on_record(self, case: Case, entry: Entry) -> tuple[Step, ...]:
        if case.resource.adopts and entry.id != case.resource.adopts:
            self._problems.append(taken(case.resource, entry))
            return (case.keep(),)
        match entry.status:
            case Status.ADOPTING:
                return self._adopt_again(case, entry)
            case Status.CREATING:
                return self._create_again(case, entry)
            case Status.FAILED:
                return self._replace(case, entry, f"its creation failed: {entry.error}")
            case Status.DELETING if entry.half_done or not isinstance(case.reading, Seen | Absent):
                return self._replace(case, entry, "an earlier run was cut off while removing it")
        if isinstance(case.reading, Absent):
            reason = "it is gone: it was there when last recorded"
            return (case.create(self._next(case.address), (reason,), gone=True),)
        if entry.provider != case.resource.provider:
            return self._replace(case, entry, f"moves from {entry.provider} to {case.resource.provider}")
        return self._standing(case, entry)

    def _standing(self, case: Case, entry: Entry) -> tuple[Step, ...]:
        now = compared(case, entry.applied)
        fixed = tuple(now.fixed(case.kind.props))
        if fixed:
            return self._replace(case, entry, *map(cannot_change, fixed), *out_of_reach(case))
        owed = owed_by(entry)
        unfinished = entry.status in (Status.UPDATING, Status.DELETING)
        if now.changes or unfinished or entry.protect != case.resource.protect:
            reasons = (*why(case, entry, now.changes), *out_of_reach(case))
            return case.update(now.standing, now.changes, entry.generation, reasons, self._problems)
        if owed and case.kind.acts:
            return outstanding(entry, case.resource.provider, owed)
        lost = (f"{action} was still to be done, and its kind no longer can" for action in owed)
        return (case.keep(*now.notes, *lost),)

    def _create_again(self, case: Case, entry: Entry) -> tuple[Step, ...]:
        reason = "an earlier run was cut off while making it"
        if differ(case.kind.props, entry.intended, case.wanted):
            return self._replace(case, entry, reason, "and the file has changed since")
        return (case.create(entry.generation, (reason,)),)

    def _gate(self, case: Case) -> Step:
        entry = case.entry
        if entry is None:
            return case.check("not passed yet")
        if self._moving.isdisjoint(case.needs) and not differ(case.kind.props, entry.applied, case.wanted):
            return case.keep()
        return case.check("what it watches changes")

    # what is not ours, or not yet

    def _lookup(self, case: Case) -> Step:
        if case.reading is None or not is_known(dict(case.wanted)):
            return case.look_up()
        match case.reading:
            case Seen(_, outputs):
                self._found[case.address] = case.kind.outputs.normal(outputs)
                return case.keep()
            case Absent():
                self._problems.append(nothing_found(case.resource))
                return case.keep()
            case Unreachable(reason):
                return case.keep(f"unknown: {reason}")

    def _unanswered(self) -> None:
        """Lookups that could not be asked are in the way of whatever works with their answer."""
        silent = {
            address: reading
            for address, reading in self._seen.items()
            if isinstance(reading, Unreachable) and self._is_lookup(address)
        }
        users: dict[Address, list[Address]] = defaultdict(list)
        for address, steps in self._steps.items() if silent else ():
            used = {ref.to for step in steps for ref in refs(dict(getattr(step, "wanted", {})))} & silent.keys()
            for lookup in used:
                users[lookup].append(address)
        self._problems.extend(
            no_answer(self._graph.resources[lookup], users[lookup], silent[lookup]) for lookup in sorted(users)
        )

    def _is_lookup(self, address: Address) -> bool:
        return address in self._graph.resources and self._kinds.of(address).look_up

    def _adopt(self, case: Case) -> tuple[Step, ...]:
        match case.reading:
            case Seen(_, outputs):
                reasons = ("it is there already",)
                standing = {**case.props, **case.found}
                self._adopted[case.address] = {**case.kind.outputs.normal(outputs), "id": case.resource.adopts}
                adoption = case.adopt(case.resource.adopts, standing, self._next(case.address), reasons)
                return (adoption, *self._after_adoption(case, adoption, case.found))
            case Unreachable(reason):
                self._problems.append(adoption_unknown(case.resource, reason))
            case Absent():
                self._problems.append(nothing_to_adopt(case.resource))
            case None:
                self._problems.append(adoption_unknown(case.resource, "it was not asked for"))
        return (case.keep(),)

    def _adopt_again(self, case: Case, entry: Entry) -> tuple[Step, ...]:
        """What was begun is taken up where it was left: with the object, the key and the props of then."""
        standing = {**entry.intended, **case.found}
        reasons = ("an earlier run was cut off while taking it over",)
        adoption = case.adopt(entry.id or case.resource.adopts, standing, entry.generation, reasons)
        return (adoption, *self._after_adoption(case, adoption, standing))

    def _after_adoption(self, case: Case, adoption: Adopt, standing: Mapping[str, Value]) -> tuple[Step, ...]:
        """What makes of an object just taken over what the file says; what cannot be read counts as right."""
        known = {name: value for name, value in case.wanted.items() if name in standing}
        different = changes(case.kind.props, standing, known, case.ignored)
        fixed = [change for change in different if case.kind.props.fields[str(change.path[0])].marks.immutable]
        for name in dict.fromkeys(str(change.path[0]) for change in fixed):
            self._problems.append(unlike(case.resource, name))
        if not different or fixed:
            return ()
        reasons = ("it is not what the file says",)
        return case.update(standing, tuple(different), adoption.generation, reasons, self._problems)

    # what goes

    def _replace(self, case: Case, entry: Entry, *reasons: str) -> tuple[Step, ...]:
        if entry.protect or case.resource.protect:
            self._problems.append(protected(entry, case.resource.place, "replaced"))
        how, consequence = self._manner(case.kind, entry, case.reading)
        create_first = case.resource.replace == "create_first"
        below = self._removal.first_below(entry) if create_first else None
        if below is not None:
            create_first = False
            reasons = (*reasons, f"removed first, as {below} is, which it stands on")
        delete = Delete(
            address=entry.address,
            provider=entry.provider,
            generation=entry.generation,
            part=str(entry.generation) if create_first else "",
            reasons=reasons,
            consequence=consequence,
            how=how,
            replaced=True,
            deposed=create_first,
        )
        create = case.create(self._next(case.address), reasons, replaces=True, deposes=create_first)
        return (create, delete) if create_first else (delete, create)

    def _next(self, address: Address) -> int:
        """The generation of an object yet to be made."""
        entry = self._state.entries.get(address)
        before = [entry] if entry is not None else []
        return 1 + max((one.generation for one in (*before, *self._deposed.get(address, ()))), default=0)

    def _unwanted(self, entry: Entry) -> Step:
        kind = self._kinds.of(entry.address)
        common = {"address": entry.address, "provider": entry.provider, "generation": entry.generation}
        if kind.gate or kind.look_up:
            return Forget(**common, reasons=(self._why_unwanted,))  # type: ignore[arg-type]
        if entry.status is Status.ADOPTING:
            reasons = (self._why_unwanted, "it was never quite taken over, and stays as it is")
            return Forget(**common, reasons=reasons)  # type: ignore[arg-type]
        reason = "an earlier run began to remove it" if entry.status is Status.DELETING else self._why_unwanted
        return self._delete(entry, reason, self._seen.get(entry.address))

    def _leftovers(self) -> Mapping[Address, tuple[Delete, ...]]:
        """The end of everything that a later generation took the place of in an earlier run."""
        return {
            address: tuple(
                evolve(
                    self._delete(entry, "a later generation has taken its place", None),
                    part=str(entry.generation),
                    deposed=True,
                )
                for entry in sorted(entries, key=lambda entry: entry.generation)
            )
            for address, entries in sorted(self._deposed.items())
        }

    def _delete(self, entry: Entry, reason: str, reading: Reading | None) -> Delete:
        if entry.protect:
            self._problems.append(protected(entry, Place(address=str(entry.address)), "removed"))
        how, consequence = self._manner(self._kinds.of(entry.address), entry, reading)
        return Delete(
            address=entry.address,
            provider=entry.provider,
            generation=entry.generation,
            reasons=(reason,),
            consequence=consequence,
            how=how,
        )

    def _manner(self, kind: Known, entry: Entry, reading: Reading | None) -> tuple[str, str]:
        how, consequence = "", ""
        if kind.deletion is not None:
            how, consequence = kind.deletion.how(entry.address, self._going, reading)
        if kind.erases is None:
            return how, consequence
        manner = erasing(kind.erases, entry, how, consequence, reading, self._allow)
        self._problems.extend(manner.problems)
        return manner.how, manner.consequence


class RemovalOrder:
    """Which replacements remove first, for those that would rather make first and stand on them.

    What is removed waits until all that stands on it is. So nothing that is removed last may stand on something that
    has to be gone before its own successor can be made.
    """

    def __init__(self, graph: ResourceGraph, state: State) -> None:
        self._graph = graph
        self._state = state
        self._first: set[Address] = set()
        self._above: set[Address] = set()

    def note(self, address: Address, steps: tuple[Step, ...]) -> None:
        """Takes in what was decided for an address, each after what it needs."""
        if isinstance(steps[0], Delete):
            self._first.add(address)
        if self._first and any(need in self._first or need in self._above for need in self._graph.needs[address]):
            self._above.add(address)

    def first_below(self, entry: Entry) -> Address | None:
        """What its successor needs, and it stands on by itself or through others, and is removed first."""
        needs = self._graph.needs[entry.address]
        if not any(need in self._first or need in self._above for need in needs):
            return None
        seen: set[Address] = set()
        stack = [*entry.depends_on]
        while stack:
            address = stack.pop()
            if address in self._first:
                return address
            if address not in seen:
                seen.add(address)
                below = self._state.entries.get(address)
                stack += below.depends_on if below is not None else ()
        return None
