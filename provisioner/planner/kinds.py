"""What a plan asks of kinds, found out once per kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import frozen

from provisioner.model.address import Address
from provisioner.model.schema import Schema
from provisioner.model.value import Value, conceal
from provisioner.sdk.provider import (
    Acts,
    AnyKind,
    Erases,
    Expands,
    Gate,
    Imports,
    Interrupts,
    PlansDeletion,
    Precious,
    TellsBirth,
    TellsConsequence,
    WeighsDrift,
    is_look_up,
)

KindOf = Callable[[str], AnyKind]


@frozen(eq=False)
class Known:
    """A kind: what it is about, its schemas, the names of its secret props, the abilities that matter for a plan."""

    name: str
    gate: bool
    look_up: bool
    props: Schema
    outputs: Schema
    secret: frozenset[str]
    deletion: PlansDeletion | None
    erases: Erases | None
    tells: TellsConsequence | None
    weighs: WeighsDrift | None
    born: TellsBirth | None
    expands: Expands | None
    gentle: Interrupts | None
    """Who tells which changes leave alone what runs there; none of them does where nobody does."""
    acts: bool
    imports: bool
    precious: str
    """What is lost with an object, empty for nothing."""

    def closed(self, props: Mapping[str, Value]) -> Mapping[str, Value]:
        """Props with secret ones concealed, as a plan shows them and a plan file holds them."""
        if not self.secret:
            return props
        return {name: conceal(v) if name in self.secret and v is not None else v for name, v in props.items()}


class Kinds:
    """Kinds by name; telling what a kind can do takes longer than planning a resource of it."""

    def __init__(self, kind_of: KindOf) -> None:
        self._kind_of = kind_of
        self._known: dict[str, Known] = {}

    def of(self, address: Address) -> Known:
        """The kind of an address; raises ProvError when nobody has it."""
        known = self._known.get(address.kind)
        if known is None:
            known = self._known[address.kind] = _known(address.kind, self._kind_of(address.kind))
        return known


def _known(name: str, kind: AnyKind) -> Known:
    props = Schema.of(kind.props)
    return Known(
        name=name,
        gate=isinstance(kind, Gate),
        look_up=is_look_up(kind),
        props=props,
        outputs=Schema.of(kind.outputs),
        secret=frozenset(field.name for field in props.fields.values() if field.marks.secret),
        deletion=kind if isinstance(kind, PlansDeletion) else None,
        erases=kind if isinstance(kind, Erases) else None,
        tells=kind if isinstance(kind, TellsConsequence) else None,
        weighs=kind if isinstance(kind, WeighsDrift) else None,
        born=kind if isinstance(kind, TellsBirth) else None,
        expands=kind if isinstance(kind, Expands) else None,
        gentle=kind if isinstance(kind, Interrupts) else None,
        acts=isinstance(kind, Acts),
        imports=isinstance(kind, Imports),
        precious=kind.precious if isinstance(kind, Precious) else "",
    )
