"""Planning: read what is there, compare, and say what apply would do. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypedDict

from provisioner.engine.discover import discover
from provisioner.engine.observe import observe
from provisioner.graph.resources import ResourceGraph
from provisioner.model.address import Address
from provisioner.model.plan import Plan
from provisioner.model.resource import Reading
from provisioner.model.state import State
from provisioner.planner.build import PlanOptions, make_plan
from provisioner.planner.planfile import plan_bytes
from provisioner.workflow.files import write_private
from provisioner.workflow.open import Project
from provisioner.workflow.secrets import near_their_end


class _Outside(TypedDict):
    """What reading takes from the world."""

    now: Callable[[], datetime]
    say: Callable[[str], None]
    wait: Callable[[float], None]


def plan(project: Project, options: PlanOptions, out: Path | None = None) -> Plan:
    """The plan for what is on record now; with `out` also as a file for `apply --plan`, unless it is blocked.

    Without an identity what is sealed is not compared; a file needs one.
    """
    if out is not None:
        project.store.create()
    state = project.look() if out is None else project.store.load()
    for sentence in near_their_end(state, project.world.now()):
        project.world.tell(sentence)
    graph = project.graph(state)
    seen = observed(project, state, graph, options)
    made = plan_for(project, state, graph, options, seen)
    if out is not None and not made.blocked:
        write_private(out, plan_bytes(made, project.store.vault()))
    return made


def plan_for(
    project: Project,
    state: State,
    graph: ResourceGraph,
    options: PlanOptions,
    seen: Mapping[Address, Reading],
) -> Plan:
    """The plan made from one observation; raises InputError where the file asks for what no plan can do."""
    if not options.destroy:
        project.refuse_moves(state)
    return make_plan(
        graph,
        state,
        seen,
        kind_of=project.registry.kind,
        functions=project.registry.functions(),
        versions=project.versions(graph),
        options=options,
    )


def observed(project: Project, state: State, graph: ResourceGraph, options: PlanOptions) -> Mapping[Address, Reading]:
    """What is there of all that is on record, and what look-ups and objects to be taken over answer.

    Empty where nothing is to be read.
    """
    if not options.refresh:
        return {}
    clients, world = project.clients(graph), project.world
    outside: _Outside = {"now": world.now, "say": world.tell, "wait": world.wait}
    seen = observe(state, project.registry, clients, graph.providers, **outside)
    wanted = () if options.destroy else graph.resources.values()
    return {**seen, **discover(wanted, state, seen, project.registry, clients, **outside)}
