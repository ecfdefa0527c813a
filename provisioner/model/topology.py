"""What a cluster is, without any cloud."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen

from provisioner.model.value import Value

Role = Literal["controlplane", "worker"]


@frozen
class Node:
    """One wanted machine of the cluster; the name is its identity and outlives the machine."""

    name: str
    role: Role
    pool: str
    provider: str
    size: str = ""
    zone: str = ""
    options: Mapping[str, Value] = field(factory=dict)
    """What the pool says to its provider beyond the common fields."""
    patches: tuple[tuple[Mapping[str, Value], ...], ...] = ()
    """Patches in the order they apply (all, role, pool, node), each a tuple of documents."""


@frozen
class EndpointWish:
    """Where the Kubernetes API shall be reached: `auto` is the provider's balancer, else a host or URL."""

    text: str = "auto"


@frozen
class TalosWish:
    """The versions wanted. `contract` is the config shape fixed at the cluster's birth, as `1.13`."""

    version: str
    contract: str
    kubernetes: str
    extensions: tuple[str, ...] = ()


@frozen
class Topology:
    """A cluster: its nodes in name order, its endpoint, its versions."""

    cluster: str
    nodes: tuple[Node, ...]
    endpoint: EndpointWish
    talos: TalosWish

    @property
    def control_planes(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.role == "controlplane")

    @property
    def workers(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.role == "worker")
