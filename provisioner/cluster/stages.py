"""The configuration of a node as it grows, step by step: settings first, then patch by patch.

Whoever asks where a value comes from, or what a patch is good for, compares one stage with the next. A stage is
made by composing the cluster with less in the file, so it is right whatever a configuration is generated from.
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
class Staged:
    """One node: `stages[0]` is its configuration without anything that the file says of it.

    `stages[1]` has the settings of its machine, and `stages[k + 1]` the first k of `patches` besides.
    """

    node: Node
    patches: tuple[Patch, ...]
    stages: tuple[Documents, ...]

    @property
    def documents(self) -> Documents:
        """The whole configuration."""
        return self.stages[-1]

    @property
    def merged(self) -> tuple[Documents, ...]:
        """What was merged into each stage to get the next one; nothing for settings, whose leaves speak for them."""
        return ((), *(patch.documents for patch in self.patches))


def staged(spec: ClusterSpec, bindings: Mapping[str, str], registry: Registry) -> tuple[Staged, ...]:
    """Every node of the cluster, in the order of the topology; none for a file without a cluster.

    Composes once more for each patch that a single node can have. Raises what `compose` raises.
    """
    topology, kept = topology_of(spec, bindings)
    if topology is None:
        return ()
    most = max(len(node.patches) for node in topology.nodes)
    lesser = [_bare(topology), *(_first(topology, count) for count in range(most + 1))]
    graphs = [compose(spec, less, kept, registry) for less in lesser[1:]]
    graphs.insert(0, graphs[0] if lesser[0] == lesser[1] else compose(spec, lesser[0], kept, registry))
    pools = {pool.name: pool for pool in spec.pools}
    return tuple(
        Staged(
            node,
            patches_of(spec, pools[node.pool], node.name),
            tuple(_documents(graph, node.name) for graph in graphs[: len(node.patches) + 2]),
        )
        for node in topology.nodes
    )


def _bare(topology: Topology) -> Topology:
    """The cluster without settings and patches."""
    return evolve(topology, nodes=tuple(evolve(node, settings={}, patches=()) for node in topology.nodes))


def _first(topology: Topology, count: int) -> Topology:
    """The cluster with the first patches of each node only."""
    return evolve(topology, nodes=tuple(evolve(node, patches=node.patches[:count]) for node in topology.nodes))


def _documents(graph: ResourceGraph, node: str) -> Documents:
    documents = graph.resources[config_address(node)].props["documents"]
    assert isinstance(documents, tuple)
    return documents  # type: ignore[return-value]  # each is a mapping, for Talos designs them so
