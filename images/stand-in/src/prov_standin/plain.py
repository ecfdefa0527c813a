"""Nodes as plain data, to be kept on disk and told to others."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from attrs import asdict
from prov_sim.machine.node import Kubelet, Node, NodeFacts


def plain_node(node: Node) -> dict[str, Any]:
    """A node without whoever keeps it alive."""
    return {
        "facts": asdict(node.facts),
        "uid": node.uid,
        "created": node.created.timestamp(),
        "version": node.version,
    }


def node_from(item: dict[str, Any], kubelet: Kubelet) -> Node:
    """The node again."""
    facts = item["facts"] | {"taints": tuple(tuple(taint) for taint in item["facts"]["taints"])}
    return Node(
        facts=NodeFacts(**facts),
        kubelet=kubelet,
        uid=item["uid"],
        created=datetime.fromtimestamp(item["created"], UTC),
        version=item["version"],
    )
