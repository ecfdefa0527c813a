"""What an earlier run began, and what must hold before it is gone on with."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from fakes.planning import KINDS, graph, state

from provisioner.model.address import Address
from provisioner.model.state import Status
from provisioner.model.step import Check, Run, Update
from provisioner.planner.grounds import guards, interrupted
from provisioner.planner.kinds import Kinds

VAULT, THING = Address("toy.vault", "m"), Address("toy.thing", "c")
CASE: dict[str, Any] = {
    "wanted": {"toy.vault/m": {"size": 2}, "toy.thing/c": None},
    "state": {"toy.vault/m": {"status": "updating", "applied": {"size": 1}, "intended": {"size": 2}}},
    "rollouts": [{"members": ["toy.thing/c"], "max_unavailable": 1, "grounds": {"toy.thing/c": "toy.vault/m"}}],
}
_KINDS = Kinds(lambda name: KINDS[name])


def guarded(**entry: Any) -> dict[Address, Check]:
    """The guards of a case, with the entry of the vault changed."""
    standing = evolve(state(CASE).entries[VAULT], **entry)
    return dict(guards(graph(CASE).rollouts, [standing], _KINDS))


def test_a_change_in_flight_that_interrupts_is_looked_at_before_as_in_a_plan() -> None:
    check = guarded()[VAULT]
    assert check.id == "check:toy.gate/c#before"
    assert check.wanted == {"watches": {"before": "toy.vault/m"}}


def test_what_interrupts_nothing_needs_no_look() -> None:
    intended = {**state(CASE).entries[VAULT].applied, "note": "told"}
    assert guarded(intended=intended) == {}
    assert guarded(status=Status.CREATING) == {}


def test_a_change_of_a_kind_that_does_not_say_interrupts_and_so_does_every_action() -> None:
    def change(address: Address, **wanted: Any) -> Update:
        return Update(address=address, provider="toy", wanted=wanted, changes=())

    assert not interrupted([change(VAULT)], _KINDS)
    assert interrupted([change(THING)], _KINDS)
    assert interrupted([Run(address=VAULT, provider="toy", action="drain")], _KINDS)
    assert not interrupted([], _KINDS)
