"""What nodes are given out of their providers' stocks, and keep for life.

A binding `node/NAME/claim` has the provider instance and what the node got from it, such as `rack-a/r1u12`.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from provisioner.model.design import Slice
from provisioner.model.topology import Topology
from provisioner.sdk.provider import Claims, Infrastructure

_PREFIX, _SUFFIX = "node/", "/claim"


def claimed(
    topology: Topology,
    slices: Mapping[str, Slice],
    infrastructure: Mapping[str, Infrastructure],
    held: Mapping[str, str],
) -> tuple[Topology, dict[str, str]]:
    """The topology with every node's claim, and the bindings to keep. `held` are all bindings there are. Pure.

    What was claimed stays claimed, so a new host or node moves nobody. Nodes that the file has dropped hold theirs,
    too: it is for the provider to say when it may be had again. Raises ProvError where a stock is too small.
    """
    claims: dict[str, str] = {}
    for instance, provider in infrastructure.items():
        if isinstance(provider, Claims):
            claims |= provider.claim(slices[instance], _held(instance, held))
    nodes = tuple(evolve(node, claim=claims.get(node.name, "")) for node in topology.nodes)
    owners = {node.name: node.provider for node in topology.nodes}
    bound = {f"{_PREFIX}{name}{_SUFFIX}": f"{owners[name]}/{claim}" for name, claim in claims.items()}
    return evolve(topology, nodes=nodes), bound


def _held(instance: str, bindings: Mapping[str, str]) -> dict[str, str]:
    """Claims by node name, of one provider instance."""
    found = {}
    for key, value in bindings.items():
        owner, _, claim = value.partition("/")
        if key.startswith(_PREFIX) and key.endswith(_SUFFIX) and owner == instance:
            found[key.removeprefix(_PREFIX).removesuffix(_SUFFIX)] = claim
    return found
