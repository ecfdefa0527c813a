"""Taking over what somebody else made: the adoption out of a plan, and nothing else of it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from provisioner.errors import PlanRefused, did_you_mean
from provisioner.graph.resources import ResourceGraph
from provisioner.model.address import Address
from provisioner.model.plan import Plan
from provisioner.model.resource import Resource
from provisioner.model.step import Adopt, Create
from provisioner.model.value import refs


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


def adoption_only(plan: Plan, address: Address) -> Plan:
    """The plan without all that is not the adoption, or speaks against it.

    What else differs, also of the object itself, shows in the next plan. Raises PlanRefused where it refers to
    something that is yet to be made.
    """
    steps = [step for step in plan.steps if isinstance(step, Adopt) and step.address == address]
    to_be_made = {step.address for step in plan.work if isinstance(step, Create | Adopt)}
    missing = sorted({str(ref.to) for step in steps for ref in refs(dict(step.wanted)) if ref.to in to_be_made})
    if missing:
        raise PlanRefused(
            "what it refers to is not on record yet",
            detail=f"{address} refers to {', '.join(missing)}",
            remedy="apply or import that first; with `import:` in the file, one apply does it all in order",
        )
    return evolve(
        plan,
        steps=tuple(evolve(step, after=(), turn=()) for step in steps),
        problems=tuple(problem for problem in plan.problems if str(address) in problem.detail),
        rollouts=(),
        bindings={},
        moves=(),
        outputs_changed=False,
    )
