"""Configurations as they grow, patch by patch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import define, evolve
from prov_sim.sim import SimProvider

from provisioner.cluster.compose import compose, compose_with_stages
from provisioner.cluster.stages import staged_nodes
from provisioner.cluster.topology import topology_of
from provisioner.plugins.registry import Registry
from provisioner.spec.load import load
from provisioner.talos.design import config_address
from provisioner.talos.provider import provider as talos

FILE = """
version: 1
name: demo
talos: {version: v1.13.9}
kubernetes: {version: v1.36.3}
providers: {sim: {delivery: api}}
pools:
  control: {role: controlplane, provider: sim, count: 1}
  workers: {role: worker, provider: sim, count: 2, machine: {sysctls: {vm.swappiness: "1"}}}
patches:
  - inline: {machine: {sysctls: {vm.max_map_count: "1", peer: "${nodes.control-1.ip}"}}}
  - role: worker
    inline: {machine: {sysctls: {vm.max_map_count: "2"}, nodeLabels: {a: b}}}
  - node: workers-2
    inline: {machine: {nodeLabels: {a: {$patch: delete}}}}
"""


@define
class Counting(SimProvider):
    """The simulator, which counts how often it designs."""

    designs: int = 0

    def design(self, part: Any, boot: Any) -> Any:
        self.designs += 1
        return super().design(part, boot)


def test_a_stage_is_what_the_cluster_would_be_with_less_in_the_file(tmp_path: Path) -> None:
    """And all of them are had from one composition, however many patches there are."""
    file = tmp_path / "cluster.yaml"
    file.write_text(FILE)
    counting = Counting()
    registry = Registry({}, {"sim": counting, "talos": talos})  # type: ignore[dict-item]
    spec = load(file, variables={}, environ={})
    topology, bindings = topology_of(spec, {})
    assert topology is not None
    composed = compose_with_stages(spec, topology, bindings, registry)
    nodes = staged_nodes(spec, topology, composed)
    assert counting.designs == 1
    for staged in nodes:
        bare = evolve(topology, nodes=tuple(evolve(node, settings={}, patches=()) for node in topology.nodes))
        lesser = [bare] + [
            evolve(topology, nodes=tuple(evolve(node, patches=node.patches[:count]) for node in topology.nodes))
            for count in range(len(staged.patches) + 1)
        ]
        graphs = [compose(spec, less, bindings, registry) for less in lesser]
        address = config_address(staged.node.name)
        assert staged.stages == tuple(graph.resources[address].props["documents"] for graph in graphs)

    assert [len(staged.stages) for staged in nodes] == [3, 4, 5]
    assert composed.graph.resources.keys() == compose(spec, topology, bindings, registry).resources.keys()
