"""The configuration of a node as it grows, step by step: settings first, then patch by patch.

Whoever asks where a value comes from, or what a patch is good for, compares one stage with the next. The cluster is
composed once, and each stage is what the next one is made of, so many patches take no longer than they must.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from provisioner.cluster.compose import Composed, compose_with_stages
from provisioner.cluster.topology import patches_of, topology_of
from provisioner.model.topology import Node, Topology
from provisioner.plugins.registry import Registry
from provisioner.spec.schema import ClusterSpec, Patch
from provisioner.talos.config.assemble import Documents


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

    Raises what `compose` raises.
    """
    topology, kept = topology_of(spec, bindings)
    if topology is None:
        return ()
    return staged_nodes(spec, topology, compose_with_stages(spec, topology, kept, registry))


def staged_nodes(spec: ClusterSpec, topology: Topology, composed: Composed) -> tuple[Staged, ...]:
    """The nodes of a cluster that is composed already."""
    pools = {pool.name: pool for pool in spec.pools}
    return tuple(
        Staged(node, patches_of(spec, pools[node.pool], node.name), composed.stages[node.name])
        for node in topology.nodes
    )
