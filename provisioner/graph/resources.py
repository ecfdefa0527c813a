"""The wanted resources with the edges that their references make."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from attrs import field, frozen

from provisioner.errors import InputError, Problem
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
    configured = _configured(providers.values(), lenient)
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
    dag: Dag[Address] = Dag()
    for address, resource in wanted.items():
        needs = dict.fromkeys((*resource.after, *_referred(resource.props), *configured.get(resource.provider, ())))
        for missing in [need for need in needs if need not in wanted]:
            problems.append(
                Problem(
                    "resource-missing",
                    "a reference leads nowhere",
                    f"{address} refers to {missing}, which is not in the file",
                    resource.place,
                    f"define {missing}, or take the reference out",
                )
            )
        dag.add(address, (need for need in needs if need in wanted))
    if problems:
        raise InputError(problems)
    try:
        order = dag.order()
    except Cycle as err:
        place = wanted[next(node for node in err.path if isinstance(node, Address))].place
        raise InputError(
            [
                Problem(
                    "reference-circle",
                    "resources refer to each other in a circle",
                    str(err),
                    place,
                    "take one of these references out",
                )
            ]
        ) from None
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


def _configured(uses: Iterable[ProviderUse], lenient: Collection[str]) -> dict[str, tuple[Address, ...]]:
    """What must be there before an instance can be used, for those whose settings refer to anything."""
    found = {use.name: _referred(use.settings) for use in uses if use.name not in lenient}
    return {name: addresses for name, addresses in found.items() if addresses}


def _referred(values: Mapping[str, Value]) -> tuple[Address, ...]:
    return tuple(dict.fromkeys(ref.to for ref in refs(dict(values))))
