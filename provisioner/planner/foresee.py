"""What references will be once the steps decided so far are done."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from provisioner.errors import Place, Problem
from provisioner.model.address import Address
from provisioner.model.state import State
from provisioner.model.step import Adopt, Keep, Run, Step, Update
from provisioner.model.value import Function, Ref, Unknown, Value, dig, evaluate
from provisioner.planner.kinds import Kinds
from provisioner.planner.problems import no_expression

_PLAIN = frozenset({str, int, bool, float, type(None)})


@frozen
class Foresight:
    """Values as far as they can be known before anything is done.

    `steps`, `found` and `adopted` are filled while a plan is made: what is decided for each address, what lookups
    answered, and what is told by objects that are about to be taken over.
    """

    state: State
    kinds: Kinds
    functions: Mapping[str, Function]
    steps: Mapping[Address, tuple[Step, ...]]
    found: Mapping[Address, Mapping[str, Value]]
    adopted: Mapping[Address, Mapping[str, Value]]
    problems: list[Problem]

    def props(self, props: Mapping[str, Value], place: Place) -> dict[str, Value]:
        """Each by itself, so that one in error leaves the others known."""
        return {
            name: value if value.__class__ in _PLAIN else self.value(value, place) for name, value in props.items()
        }

    def value(self, value: Value, place: Place) -> Value:
        """A value with what is known put in; an expression that cannot be computed is a problem, and unknown."""
        try:
            return evaluate(value, self._lookup, self.functions)
        except ValueError as err:
            self.problems.append(no_expression(str(err), place))
            return Unknown("an expression in error")

    def _lookup(self, ref: Ref) -> Value:
        fields = self.kinds.of(ref.to).outputs.fields
        root = ref.output.partition(".")[0]
        if root not in fields:
            raise ValueError(f"{ref.to} has no output {root!r}; it has {', '.join(fields)}")
        outputs = self._outputs(ref.to, volatile=fields[root].marks.volatile)
        if not outputs or (root not in outputs and ref.to in self.adopted):
            return Unknown(str(ref.to))
        try:
            return dig(outputs, ref.output)
        except KeyError as err:
            raise ValueError(f"{ref.to} has no output {ref.output!r} ({err.args[0]} is missing)") from None

    def _outputs(self, address: Address, *, volatile: bool) -> Mapping[str, Value]:
        """What an address will have given by then, empty where that is not known."""
        if address in self.found:
            return self.found[address]
        entry = self.state.entries.get(address)
        told = self.adopted.get(address) or (entry.outputs if entry is not None else {})
        lasting = (Keep, Adopt) if volatile else (Keep, Adopt, Update, Run)
        steps = self.steps.get(address, ())
        return told if all(isinstance(step, lasting) for step in steps) else {}
