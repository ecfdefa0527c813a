"""The one entry of the planner: what is wanted, on record and found becomes a plan."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen

from provisioner.graph.resources import ResourceGraph
from provisioner.model.address import Address
from provisioner.model.plan import Base, Plan
from provisioner.model.resource import Reading
from provisioner.model.state import State
from provisioner.model.value import Function, is_known
from provisioner.planner.compare import differences
from provisioner.planner.decide import Decider
from provisioner.planner.guard import losses
from provisioner.planner.kinds import KindOf, Kinds
from provisioner.planner.moves import apply_moves
from provisioner.planner.order import ordered
from provisioner.planner.standing import down


@frozen
class PlanOptions:
    """`destroy` plans the end of everything on record; `allow` names dangers the user accepts.

    Without `refresh` nothing is read for the plan: what is on record is taken for what is there.
    """

    destroy: bool = False
    allow: frozenset[str] = frozenset()
    refresh: bool = True


def make_plan(
    graph: ResourceGraph,
    state: State,
    seen: Mapping[Address, Reading],
    *,
    kind_of: KindOf,
    functions: Mapping[str, Function],
    versions: Mapping[str, str],
    options: PlanOptions,
) -> Plan:
    """Pure: equal input, equal plan. `seen` has a reading for what could be asked, and nothing for the rest.

    Its addresses are those of `state` as it is given, before any moves, and those of wanted lookups and adoptions.
    """
    wanted = evolve(graph, resources={}, needs={}, outputs={}, moves=()) if options.destroy else graph
    why_unwanted = "the cluster is destroyed" if options.destroy else "the file no longer names it"
    kinds = Kinds(kind_of)
    moved = apply_moves(wanted.moves, state, wanted.resources)
    readings = moved.readings(state, seen)
    decided = Decider(wanted, moved.state, readings, kinds, functions, why_unwanted, options.allow).decide()
    steps, rollouts = ordered(
        decided.steps, decided.leftovers, wanted, moved.state, kinds, down(moved.state, readings)
    )
    outputs_known = all(is_known(value) for value in decided.outputs.values())
    return Plan(
        cluster=graph.cluster,
        steps=steps,
        base=Base(state.lineage, state.serial, graph.spec_digest, versions),
        providers=graph.providers,
        destroys=options.destroy,
        refreshed=options.refresh,
        rollouts=rollouts,
        problems=(*moved.problems, *decided.problems, *losses(steps, moved.state, kinds, options.allow)),
        unfinished=tuple(sorted(entry.address for entry in moved.state.unfinished(wanted.resources))),
        bindings={} if options.destroy else graph.bindings,
        outputs=wanted.outputs,
        outputs_changed=outputs_known and any(differences(state.outputs, decided.outputs)),
        moves=moved.moves,
        found=decided.found,
    )
