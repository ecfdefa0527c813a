"""Clusters to design for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from attrs import evolve, field, frozen

from provisioner.cluster.claims import claimed
from provisioner.cluster.compose import compose
from provisioner.cluster.topology import topology_of
from provisioner.graph.resources import ResourceGraph
from provisioner.model.design import Machine, Slice
from provisioner.model.topology import STOCK_SCHEMATIC, EndpointWish, Node, Role, TalosWish, Topology
from provisioner.model.value import Secret, Value
from provisioner.plugins.registry import Registry
from provisioner.sdk.provider import Infrastructure, Provider
from provisioner.spec.load import load
from provisioner.spec.schema import AUTO
from provisioner.talos.provider import provider as talos

INSTANCE = "here"
_ENDPOINT = "k8s.example.org"
LONGEST = 63
"""How long the names of clusters and nodes may be."""


@frozen
class Shape:
    """What a pool says to the provider: its size, its zones, and what only this provider knows."""

    size: str = ""
    zones: Sequence[str] = ("a", "b", "c")
    options: Mapping[str, Value] = field(factory=dict)


class Boot:
    """What Talos offers to machines, as texts."""

    version = "v1.13.9"
    schematic = STOCK_SCHEMATIC
    stock = True
    authority = "YXV0aG9yaXR5"
    authority_key = Secret("a2V5")

    def artifact(self, platform: str, arch: str, form: str = "") -> str:
        return f"https://factory.example/{platform}-{arch}.{form or 'raw'}"

    def config(self, node: Node, machine: Machine) -> Value:
        return Secret(f"configuration of {node.name} on {machine.install_disk}")


def cluster(shape: Shape, *, name: str = "demo", control: int = 3, workers: int = 2) -> Topology:
    """A cluster of one provider."""
    nodes = (*_pool("control", "controlplane", control, shape), *_pool("workers", "worker", workers, shape))
    return Topology(name, nodes, EndpointWish(), TalosWish("v1.13.9", "1.13", "v1.36.3"))


def part(topology: Topology, settings: Mapping[str, Value]) -> Slice:
    """The provider's part of a cluster: all of it."""
    return Slice(INSTANCE, settings, topology, topology.nodes)


def given(
    provider: Infrastructure,
    topology: Topology,
    settings: Mapping[str, Value],
    held: Mapping[str, str] | None = None,
) -> tuple[Topology, dict[str, str]]:
    """The cluster with what each node is given of its provider's stock, and that as bindings.

    `held` are earlier bindings. Where the provider has no stock that is the cluster as it was.
    """
    return claimed(topology, {INSTANCE: part(topology, settings)}, {INSTANCE: provider}, held or {})


def with_long_names(shape: Shape) -> Topology:
    """A cluster whose names are as long as they may be."""
    short = cluster(shape, name="c" * LONGEST)
    nodes = tuple(evolve(node, name=node.name.ljust(LONGEST, "x")) for node in short.nodes)
    return evolve(short, nodes=nodes)


def shipped_plan(
    folder: Path, provider: Provider, settings: Mapping[str, Any], shape: Shape, into: Path
) -> ResourceGraph:
    """A shipped plan, with all its machines made by one provider, and a host as endpoint where that makes none."""
    document = yaml.safe_load((folder / "cluster.yaml").read_text())
    document["providers"] = {INSTANCE: {"type": provider.name, **settings}}
    for pool in document["pools"].values():
        pool |= {"provider": INSTANCE, "size": shape.size, **shape.options}
    file = into / "cluster.yaml"
    file.write_text(yaml.safe_dump(document))
    spec = load(file, variables={}, environ={})
    topology, bindings = topology_of(spec, {})
    assert topology is not None, "shipped plans are clusters"
    if topology.endpoint.text == AUTO and isinstance(provider, Infrastructure):
        mine, _ = given(provider, topology, settings)
        if provider.endpoint(part(mine, settings)) is None:  # then a file has to name one
            topology = evolve(topology, endpoint=EndpointWish(_ENDPOINT))
    return compose(spec, topology, bindings, Registry({}, {provider.name: provider, "talos": talos}))


def _pool(name: str, role: Role, count: int, shape: Shape) -> tuple[Node, ...]:
    return tuple(
        Node(
            f"{name}-{number}",
            role,
            name,
            INSTANCE,
            size=shape.size,
            zone=shape.zones[(number - 1) % len(shape.zones)] if shape.zones else "",
            options=shape.options,
        )
        for number in range(1, count + 1)
    )
