"""The wanted resources with the edges that their references make."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from attrs import field, frozen

from provisioner.errors import InputError, Place, Problem
from provisioner.graph.dag import Cycle, Dag
from provisioner.model.address import Address
from provisioner.model.plan import ProviderUse
from provisioner.model.resource import Resource
from provisioner.model.rollout import Rollout
from provisioner.model.state import Move
from provisioner.model.value import Value, refs


@frozen
class ResourceGraph:
    """Everything wanted, in an order in which it can be made.

    `needs` has for each address what it refers to or names under `after`, and what its provider has to be configured
    from. The latter is in `configured` too, by instance. `moves` are entries of the state that get another address.
    """

    cluster: str
    resources: Mapping[Address, Resource]
    needs: Mapping[Address, tuple[Address, ...]]
    providers: Mapping[str, ProviderUse]
    rollouts: tuple[Rollout, ...]
    bindings: Mapping[str, str]
    outputs: Mapping[str, Value]
    spec_digest: str
    configured: Mapping[str, tuple[Address, ...]] = field(factory=dict)
    moves: tuple[Move, ...] = ()


def build_graph(
    cluster: str,
    resources: Iterable[Resource],
    *,
    providers: Mapping[str, ProviderUse],
    rollouts: tuple[Rollout, ...],
    bindings: Mapping[str, str],
    outputs: Mapping[str, Value],
    spec_digest: str,
    lenient: Collection[str] = (),
    moves: tuple[Move, ...] = (),
) -> ResourceGraph:
    """Finds the edges and checks them; raises InputError with everything found.

    `lenient` are instances that make do with what is known of their settings when they are used: what they serve does
    not wait for the rest.
    """
    wanted, problems = _by_address(resources)
    dag: Dag[Address] = Dag()
    for address, resource in wanted.items():
        needs = dict.fromkeys((*resource.after, *_referred(resource.props)))
        problems += [_leads_nowhere(resource, need) for need in needs if need not in wanted]
        dag.add(address, (need for need in needs if need in wanted))
    if problems:
        raise InputError(problems)
    configured = _configured(providers.values(), lenient)
    _wait_for_settings(dag, wanted, configured)
    try:
        order = dag.order()
    except Cycle as err:
        place = wanted[next(node for node in err.path if isinstance(node, Address))].place
        raise InputError([_circle(err, place)]) from None
    return ResourceGraph(
        cluster=cluster,
        resources={address: wanted[address] for address in order},
        needs={address: dag.needs(address) for address in order},
        providers=providers,
        rollouts=rollouts,
        bindings=bindings,
        outputs=outputs,
        spec_digest=spec_digest,
        configured=configured,
        moves=moves,
    )


def _by_address(resources: Iterable[Resource]) -> tuple[dict[Address, Resource], list[Problem]]:
    wanted: dict[Address, Resource] = {}
    problems: list[Problem] = []
    for resource in resources:
        if resource.address in wanted:
            problems.append(
                Problem(
                    "resource-twice",
                    "two resources have the same address",
                    f"{resource.address} is defined more than once",
                    resource.place,
                    "rename one of them",
                )
            )
        wanted[resource.address] = resource
    return wanted, problems


def _leads_nowhere(resource: Resource, need: Address) -> Problem:
    return Problem(
        "resource-missing",
        "a reference leads nowhere",
        f"{resource.address} refers to {need}, which is not in the file",
        resource.place,
        f"define {need}, or take the reference out",
    )


def _circle(err: Cycle, place: Place) -> Problem:
    return Problem(
        "reference-circle",
        "resources refer to each other in a circle",
        str(err),
        place,
        "take one of these references out",
    )


def _wait_for_settings(
    dag: Dag[Address], wanted: Mapping[Address, Resource], configured: Mapping[str, tuple[Address, ...]]
) -> None:
    """Lets what an instance serves wait for what its settings refer to.

    Not so what that stands on itself: it is served with what is known of the settings by then.
    """
    for instance, addresses in configured.items():
        addresses = tuple(address for address in addresses if address in wanted)
        below = _below(dag, addresses)
        for address, resource in wanted.items():
            if resource.provider == instance and address not in below:
                dag.add(address, addresses)


def _below(dag: Dag[Address], addresses: Iterable[Address]) -> set[Address]:
    """Addresses with all that they need."""
    found = {*addresses}
    stack = [*found]
    while stack:
        fresh = [need for need in dag.needs(stack.pop()) if need not in found]
        found.update(fresh)
        stack += fresh
    return found


def _configured(uses: Iterable[ProviderUse], lenient: Collection[str]) -> dict[str, tuple[Address, ...]]:
    """What must be there before an instance can be used, for those whose settings refer to anything."""
    found = {use.name: _referred(use.settings) for use in uses if use.name not in lenient}
    return {name: addresses for name, addresses in found.items() if addresses}


def _referred(values: Mapping[str, Value]) -> tuple[Address, ...]:
    return tuple(dict.fromkeys(ref.to for ref in refs(dict(values))))
