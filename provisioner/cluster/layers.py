"""The configuration of a node as it grows, patch by patch.

Whoever asks where a value comes from, or what a patch is good for, compares one layer with the next. A layer is
made by composing the cluster with fewer patches, so it is right whatever a configuration is generated from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from attrs import evolve, frozen

from provisioner.cluster.compose import compose
from provisioner.cluster.topology import patches_of, topology_of
from provisioner.graph.resources import ResourceGraph
from provisioner.model.topology import Node, Topology
from provisioner.model.value import Value
from provisioner.plugins.registry import Registry
from provisioner.spec.schema import ClusterSpec, Patch
from provisioner.talos.design import config_address

Documents: TypeAlias = tuple[Mapping[str, Value], ...]


@frozen
class Layered:
    """One node: `layers[0]` is its configuration without patches, `layers[k]` that with the first k of `patches`."""

    node: Node
    patches: tuple[Patch, ...]
    layers: tuple[Documents, ...]

    @property
    def documents(self) -> Documents:
        """The whole configuration."""
        return self.layers[-1]


def layered(spec: ClusterSpec, bindings: Mapping[str, str], registry: Registry) -> tuple[Layered, ...]:
    """Every node of the cluster, in the order of the topology; none for a file without a cluster.

    Composes once more for each patch that a single node can have. Raises what `compose` raises.
    """
    topology, kept = topology_of(spec, bindings)
    if topology is None:
        return ()
    most = max(len(node.patches) for node in topology.nodes)
    graphs = [compose(spec, _first(topology, count), kept, registry) for count in range(most + 1)]
    pools = {pool.name: pool for pool in spec.pools}
    return tuple(
        Layered(
            node,
            patches_of(spec, pools[node.pool], node.name),
            tuple(_documents(graph, node.name) for graph in graphs[: len(node.patches) + 1]),
        )
        for node in topology.nodes
    )


def _first(topology: Topology, count: int) -> Topology:
    """The cluster with the first patches of each node only."""
    return evolve(topology, nodes=tuple(evolve(node, patches=node.patches[:count]) for node in topology.nodes))


def _documents(graph: ResourceGraph, node: str) -> Documents:
    documents = graph.resources[config_address(node)].props["documents"]
    assert isinstance(documents, tuple)
    return documents  # type: ignore[return-value]  # each is a mapping, for Talos designs them so
