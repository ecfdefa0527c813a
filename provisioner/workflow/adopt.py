"""Taking over what somebody else made: the adoption out of a plan, and nothing else of it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from provisioner.errors import Place, PlanRefused, did_you_mean
from provisioner.graph.resources import ResourceGraph
from provisioner.model.address import Address
from provisioner.model.plan import Plan
from provisioner.model.resource import Resource
from provisioner.model.step import Adopt


def asking_for(graph: ResourceGraph, address: Address, remote: str) -> ResourceGraph:
    """The graph with one of its resources to be taken over; raises PlanRefused where the file has none of it."""
    resource = graph.resources.get(address)
    if resource is None:
        raise PlanRefused(
            "the file has nothing of this address",
            detail=str(address),
            remedy=did_you_mean(str(address), map(str, graph.resources)) or "describe it under `resources:` first",
        )
    resources: Mapping[Address, Resource] = {**graph.resources, address: evolve(resource, adopts=remote)}
    return evolve(graph, resources=resources)


def adoption_only(plan: Plan, address: Address, remote: str) -> Plan:
    """The plan without all that is not the adoption; raises PlanRefused where it has none.

    What else differs, also of the object itself, shows in the next plan.
    """
    step = next((step for step in plan.steps if isinstance(step, Adopt) and step.address == address), None)
    if step is None:
        problem = next((p for p in plan.problems if str(address) in (p.place.address, p.detail)), None)
        raise PlanRefused(
            problem.summary if problem else "there is nothing to take over",
            detail=problem.detail if problem else f"{address} is on record already",
            place=problem.place if problem else Place(address=str(address)),
            remedy=problem.remedy if problem else f"look at it with `prov state show {address}`",
        )
    alone = evolve(step, after=(), turn=())
    return evolve(plan, steps=(alone,), rollouts=(), problems=(), bindings={}, moves=(), outputs_changed=False)
