"""Planning: read what is there, compare, and say what apply would do. Nothing is written."""

from __future__ import annotations

from pathlib import Path

from provisioner.engine.observe import observe
from provisioner.graph.resources import ResourceGraph
from provisioner.model.plan import Plan
from provisioner.model.state import State
from provisioner.planner.build import PlanOptions, make_plan
from provisioner.planner.planfile import plan_bytes
from provisioner.workflow.files import write_private
from provisioner.workflow.open import Project


def plan(project: Project, options: PlanOptions, out: Path | None = None) -> Plan:
    """The plan for what is on record now; with `out` also as a file for `apply --plan`, unless it is blocked.

    Without an identity what is sealed is not compared; a file needs one.
    """
    if out is not None:
        project.store.create()
    state = project.look() if out is None else project.store.load()
    made = plan_for(project, state, project.graph(state), options)
    if out is not None and not made.blocked:
        write_private(out, plan_bytes(made, project.store.vault()))
    return made


def plan_for(project: Project, state: State, graph: ResourceGraph, options: PlanOptions) -> Plan:
    """One observation and the plan made from it; raises InputError where the file asks for what no plan can do."""
    if not options.destroy:
        project.refuse_moves(state)
    seen = observe(
        state,
        project.registry,
        project.clients(graph),
        graph.providers,
        now=project.world.now,
        say=project.world.tell,
    )
    return make_plan(
        graph,
        state,
        seen,
        kind_of=project.registry.kind,
        functions=project.registry.functions(),
        versions=project.versions(graph),
        options=options,
    )
