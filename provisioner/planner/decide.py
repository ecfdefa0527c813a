"""What to do with each object, and why.

on record    found          wanted                      →
nothing      (not asked)    yes                         create
ready        seen           equal                       keep
ready        seen           other in place              update
ready        seen           other where immutable       replace: delete, then create
ready        seen           protected otherwise         update, so that it is on record
ready        absent         yes                         create anew ("it is gone")
ready        out of reach   equal to what is recorded   keep, with a note
ready        out of reach   other                       as if seen as recorded
in flight    (not asked)    yes                         finish what the earlier run began
to be gone   seen           yes                         update: the removal had not come anywhere, and is taken back
to be gone   otherwise      yes                         replace, or create anew
failed       (not asked)    yes                         replace: it may exist in part
any          any            no                          delete, in the manner its kind plans
a gate       (not asked)    yes                         check, unless it passed with these very props and all
                                                        that it needs is kept
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import evolve, field, frozen

from provisioner.errors import Place, Problem
from provisioner.graph.resources import ResourceGraph
from provisioner.model.address import Address
from provisioner.model.resource import Absent, Reading, Resource, Seen, Unreachable
from provisioner.model.schema import Schema
from provisioner.model.state import Entry, State, Status
from provisioner.model.step import ABSENT, Check, Create, Delete, FieldChange, Forget, Keep, Step, Update
from provisioner.model.value import (
    Function,
    Ref,
    Unknown,
    Value,
    conceal,
    dig,
    evaluate,
    is_known,
    strip_origins,
)
from provisioner.planner.compare import differences
from provisioner.sdk.provider import AnyKind, Gate, Kind, PlansDeletion, TellsConsequence

KindOf = Callable[[str], AnyKind]


@frozen
class Decided:
    """The steps for every address, before edges."""

    steps: Mapping[Address, tuple[Step, ...]]
    problems: tuple[Problem, ...]
    outputs: Mapping[str, Value]


@frozen
class Decider:
    """Goes through the wanted resources in order, so that each sees what its references will be."""

    graph: ResourceGraph
    state: State
    seen: Mapping[Address, Reading]
    kind_of: KindOf
    functions: Mapping[str, Function]
    why_unwanted: str
    _steps: dict[Address, tuple[Step, ...]] = field(factory=dict)
    _problems: list[Problem] = field(factory=list)
    _going: frozenset[Address] = field(init=False)

    @_going.default
    def _not_there(self) -> frozenset[Address]:
        """What will not be there any more, and what already is not."""
        unwanted = self.state.entries.keys() - self.graph.resources.keys()
        return frozenset({*unwanted, *(address for address, found in self.seen.items() if isinstance(found, Absent))})

    def decide(self) -> Decided:
        for resource in self.graph.resources.values():
            self._steps[resource.address] = self._wanted(resource)
        for address in sorted(self.state.entries.keys() - self.graph.resources.keys()):
            self._steps[address] = (self._unwanted(self.state.entries[address]),)
        outputs = {name: self._evaluated(value, Place()) for name, value in self.graph.outputs.items()}
        return Decided(self._steps, tuple(self._problems), outputs)

    # what is wanted

    def _wanted(self, resource: Resource) -> tuple[Step, ...]:
        kind = self.kind_of(resource.address.kind)
        schema = Schema.of(kind.props)
        resource = _closed(resource, schema)
        entry = self.state.entries.get(resource.address)
        place = _place(resource)
        props = {name: self._evaluated(value, place) for name, value in resource.props.items()}
        complaints = list(schema.complaints(props))
        if complaints:
            self._problems.extend(_ill_formed(resource, name, sentence) for name, sentence in complaints)
            return (self._keep(resource, entry),)
        wanted = schema.normal(props)
        if isinstance(kind, Gate):
            return (self._gate(resource, entry, wanted),)
        assert isinstance(kind, Kind)
        if entry is None:
            return (self._create(resource, 1, ("not there yet",)),)
        return self._standing(resource, kind, schema, entry, wanted)

    def _standing(
        self, resource: Resource, kind: Kind, schema: Schema, entry: Entry, wanted: dict[str, Value]
    ) -> tuple[Step, ...]:
        if entry.status is Status.FAILED:
            return self._replace(resource, kind, entry, (f"its creation failed: {entry.error}",))
        reading = self.seen.get(resource.address)
        if entry.status is Status.DELETING and (entry.half_done or not isinstance(reading, Seen | Absent)):
            return self._replace(resource, kind, entry, ("an earlier run was cut off while removing it",), reading)
        if entry.status is Status.CREATING:
            reasons = ("an earlier run was cut off while making it",)
            if any(differences(entry.intended, wanted)):
                return self._replace(resource, kind, entry, (*reasons, "and the file has changed since"))
            return (self._create(resource, entry.generation, reasons),)
        if isinstance(reading, Absent):
            return (self._create(resource, entry.generation + 1, ("it is gone: it was there when last recorded",)),)
        if entry.provider != resource.provider:
            return self._replace(resource, kind, entry, (f"moves from {entry.provider} to {resource.provider}",))
        changes, notes = _compare(schema, entry, reading, wanted)
        fixed = [change for change in changes if schema.fields[str(change.path[0])].marks.immutable]
        if fixed:
            return self._replace(resource, kind, entry, tuple(_cannot_change(change) for change in fixed), reading)
        if changes or entry.in_flight or entry.protect != resource.protect:
            return (self._update(resource, kind, entry, changes, _why(resource, entry, changes, reading)),)
        return (self._keep(resource, entry, notes),)

    def _gate(self, resource: Resource, entry: Entry | None, wanted: dict[str, Value]) -> Step:
        same = entry is not None and not any(differences(entry.applied, wanted))
        if same and not self._moves_below(resource.address):
            return self._keep(resource, entry)
        reason = "not passed yet" if entry is None else "what it watches changes"
        return Check(
            address=resource.address,
            provider=resource.provider,
            generation=entry.generation if entry else 1,
            reasons=(reason,),
            wanted=resource.props,
            depends_on=self.graph.needs[resource.address],
        )

    def _moves_below(self, address: Address) -> bool:
        """Whether anything changes that an address needs, directly or through others."""
        seen: set[Address] = set()
        stack = [*self.graph.needs[address]]
        while stack:
            need = stack.pop()
            if need in seen:
                continue
            if not all(isinstance(step, Keep) for step in self._steps[need]):
                return True
            seen.add(need)
            stack += self.graph.needs[need]
        return False

    # the steps

    def _create(
        self, resource: Resource, generation: int, reasons: tuple[str, ...], *, replaces: bool = False
    ) -> Create:
        return Create(
            address=resource.address,
            provider=resource.provider,
            generation=generation,
            reasons=reasons,
            wanted=resource.props,
            depends_on=self.graph.needs[resource.address],
            protect=resource.protect,
            replaces=replaces,
        )

    def _replace(
        self,
        resource: Resource,
        kind: Kind,
        entry: Entry,
        reasons: tuple[str, ...],
        reading: Reading | None = None,
    ) -> tuple[Step, ...]:
        if entry.protect or resource.protect:
            self._problems.append(_protected(entry, resource.place, "replaced"))
        how, consequence = self._manner(kind, entry.address, reading)
        delete = Delete(
            address=entry.address,
            provider=entry.provider,
            generation=entry.generation,
            reasons=reasons,
            consequence=consequence,
            how=how,
            replaced=True,
        )
        return delete, self._create(resource, entry.generation + 1, reasons, replaces=True)

    def _update(
        self, resource: Resource, kind: Kind, entry: Entry, changes: tuple[FieldChange, ...], reasons: tuple[str, ...]
    ) -> Update:
        return Update(
            address=resource.address,
            provider=resource.provider,
            generation=entry.generation,
            reasons=reasons,
            consequence=kind.consequence(changes) if isinstance(kind, TellsConsequence) else "",
            wanted=resource.props,
            changes=changes,
            depends_on=self.graph.needs[resource.address],
            protect=resource.protect,
        )

    def _keep(self, resource: Resource, entry: Entry | None, notes: tuple[str, ...] = ()) -> Keep:
        generation = entry.generation if entry else 1
        return Keep(address=resource.address, provider=resource.provider, generation=generation, notes=notes)

    def _unwanted(self, entry: Entry) -> Step:
        kind = self.kind_of(entry.address.kind)
        common = {"address": entry.address, "provider": entry.provider, "generation": entry.generation}
        if isinstance(kind, Gate):
            return Forget(**common, reasons=(self.why_unwanted,))  # type: ignore[arg-type]
        assert isinstance(kind, Kind)
        if entry.protect:
            self._problems.append(_protected(entry, Place(address=str(entry.address)), "removed"))
        reading = self.seen.get(entry.address)
        how, consequence = self._manner(kind, entry.address, reading)
        reason = "an earlier run began to remove it" if entry.status is Status.DELETING else self.why_unwanted
        return Delete(**common, how=how, consequence=consequence, reasons=(reason,))  # type: ignore[arg-type]

    def _manner(self, kind: Kind, address: Address, reading: Reading | None) -> tuple[str, str]:
        return kind.how(address, self._going, reading) if isinstance(kind, PlansDeletion) else ("", "")

    # values

    def _evaluated(self, value: Value, place: Place) -> Value:
        try:
            return evaluate(value, self._lookup, self.functions)
        except ValueError as err:
            self._problems.append(
                Problem("expression", "an expression cannot be computed", str(err), place, "correct the expression")
            )
            return Unknown("an expression in error")

    def _lookup(self, ref: Ref) -> Value:
        """What an output will be once the steps decided so far are done, as far as that is known now."""
        schema = Schema.of(self.kind_of(ref.to.kind).outputs)
        root = ref.output.partition(".")[0]
        if root not in schema.fields:
            raise ValueError(f"{ref.to} has no output {root!r}; it has {', '.join(schema.fields)}")
        entry = self.state.entries.get(ref.to)
        steps = self._steps.get(ref.to, ())
        settled = entry is not None and all(isinstance(step, Keep | Update) for step in steps) and bool(entry.outputs)
        volatile = schema.fields[root].marks.volatile and any(isinstance(step, Update) for step in steps)
        if entry is None or not settled or volatile:
            return Unknown(str(ref.to))
        try:
            return dig(entry.outputs, ref.output)
        except KeyError as err:
            raise ValueError(f"{ref.to} has no output {ref.output!r} ({err.args[0]} is missing)") from None


def _compare(
    schema: Schema, entry: Entry, reading: Reading | None, wanted: Mapping[str, Value]
) -> tuple[tuple[FieldChange, ...], tuple[str, ...]]:
    """The changes to make, and notes on what differs without being changed."""
    found = reading.props if isinstance(reading, Seen) else {}
    recorded = {**schema.normal({}), **entry.applied}  # an older release may not have known every property
    changes: list[FieldChange] = []
    notes: list[str] = []
    for name, value in wanted.items():
        marks = schema.fields[name].marks
        before = recorded.get(name)
        if marks.birth:
            if is_known(value) and schema.recorded({name: strip_origins(value)})[name] != before:
                notes.append(f"{name} is no longer what it was made with")
            continue
        if marks.readable and name in found:
            before = conceal(found[name]) if marks.secret else found[name]
        changes += differences(before, value, (name,))
    if isinstance(reading, Unreachable):
        since = f" since {reading.since:%Y-%m-%d %H:%M}" if reading.since else ""
        notes.append(f"unknown{since}: {reading.reason}; compared with what is recorded")
    return tuple(changes), tuple(notes)


def _why(
    resource: Resource, entry: Entry, changes: tuple[FieldChange, ...], reading: Reading | None
) -> tuple[str, ...]:
    if entry.status is Status.UPDATING:
        return ("an earlier run was cut off while changing it",)
    if entry.status is Status.DELETING:
        return ("an earlier run was about to remove it",)
    if not changes:
        return ("it is protected from now on" if resource.protect else "it is no longer protected",)
    if isinstance(reading, Seen) and all(_drifted(entry, change) for change in changes):
        return ("changed outside prov",)
    return ("the file changed",)


def _drifted(entry: Entry, change: FieldChange) -> bool:
    """Whether a leaf is wanted as it was applied, so that only the remote has moved."""
    value: Value = entry.applied
    for part in change.path:
        if isinstance(value, Mapping) and part in value:
            value = value[str(part)]
        elif isinstance(value, tuple) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return change.after == ABSENT
    return not any(differences(value, change.after))


def _cannot_change(change: FieldChange) -> str:
    may = "may change" if isinstance(change.after, Unknown) else "changes"
    return f"{'.'.join(str(part) for part in change.path)} {may}, which takes a new one"


def _closed(resource: Resource, schema: Schema) -> Resource:
    """The resource with its secret properties concealed: what a plan shows and a plan file holds of it."""
    secret = {name for name, item in schema.fields.items() if item.marks.secret}
    props = {n: conceal(v) if n in secret and v is not None else v for n, v in resource.props.items()}
    return evolve(resource, props=props)


def _place(resource: Resource) -> Place:
    return resource.place if resource.place.file else Place(address=str(resource.address))


def _ill_formed(resource: Resource, name: str, sentence: str) -> Problem:
    return Problem(
        "property",
        "a property does not fit its kind",
        f"{resource.address}: {name} {sentence}",
        _place(resource),
        f"see the properties of {resource.address.kind} with `prov providers {resource.address.provider_type}`",
    )


def _protected(entry: Entry, place: Place, verb: str) -> Problem:
    return Problem(
        "protected",
        "a protected resource would be removed",
        f"{entry.address} would be {verb}",
        place,
        "take `protect: true` off it in the file, apply that, and try again",
    )
