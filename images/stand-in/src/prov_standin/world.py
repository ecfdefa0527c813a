"""The world as one machine of its own sees it: itself, and the machines of its cluster it has heard of."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

from attrs import asdict, define
from prov_sim.changes import CONTROL_PLANES, Changes
from prov_sim.faults import FaultBook
from prov_sim.machine.certificates import Issued
from prov_sim.machine.documents import MachineConfig
from prov_sim.machine.etcd import Domain, Etcd, Member
from prov_sim.machine.machine import Machine
from prov_sim.machine.node import Node, NodeFacts
from prov_sim.machine.order import EtcdData, Peer


@define(eq=False)
class Absent:
    """Keeps no node alive."""

    def keeps(self, node: str) -> bool:
        return False


class World:
    """What a machine needs of its surroundings; there is one machine here and one domain."""

    def __init__(self) -> None:
        self.changes = Changes()
        self.random = Random(secrets.randbits(128))  # noqa: S311  (names and ids, not secrets)
        self.faults = FaultBook()
        self.machine: Machine | None = None
        self._domains: dict[str, Domain] = {}

    def runs(self, machine: Machine) -> None:
        """Nobody else needs to know here."""

    def count(self, method: str) -> None:
        """Nobody counts here."""

    def domain(self, config: MachineConfig) -> Domain:
        name = config.domain_name
        if name not in self._domains:
            self._domains[name] = Domain(name, self.random)
        return self._domains[name]

    def signs(self, config: MachineConfig, names: Sequence[str]) -> bool:
        return False

    def certificate(self, config: MachineConfig, names: Sequence[str]) -> Issued | None:
        return None

    def peers(self, config: MachineConfig) -> Iterable[Peer]:
        return [self.machine] if self.machine is not None and self.machine.up else []

    # What etcd keeps.

    def etcd_document(self, data: EtcdData) -> dict[str, Any]:
        """An etcd as plain data, and which member of it is ours."""
        return {"own": f"{data.member.id:x}", "etcd": plain(data.etcd)}

    def etcd_from(self, kept: dict[str, Any], config: MachineConfig) -> EtcdData:
        """The etcd that `etcd_document` wrote, as part of the domain; its members count as down."""
        etcd = Etcd()
        for number, (name, address, learner) in kept["etcd"]["members"].items():
            etcd.add(Member(int(number, 16), name, address, learner))
        for name, item in kept["etcd"]["nodes"].items():
            etcd.nodes[name] = node_from(item)
        self.domain(config).etcds.append(etcd)
        own = int(kept["own"], 16)
        return EtcdData(etcd, etcd.members.get(own) or Member(own, "", "", learner=False))


def plain(etcd: Etcd) -> dict[str, Any]:
    """An etcd as plain data: members by number in hexadecimal, nodes by name."""
    return {
        "members": {f"{item.id:x}": [item.name, item.address, item.learner] for item in etcd.members.values()},
        "nodes": {name: _plain_node(node) for name, node in etcd.nodes.items()},
    }


def _plain_node(node: Node) -> dict[str, Any]:
    return {
        "facts": asdict(node.facts),
        "uid": node.uid,
        "created": node.created.timestamp(),
        "version": node.version,
    }


def node_from(item: dict[str, Any]) -> Node:
    """A node that nobody keeps alive yet."""
    facts = item["facts"] | {"taints": tuple(tuple(taint) for taint in item["facts"]["taints"])}
    return Node(
        facts=NodeFacts(**facts),
        kubelet=Absent(),
        uid=item["uid"],
        created=datetime.fromtimestamp(item["created"], UTC),
        version=item["version"],
    )


__all__ = ["CONTROL_PLANES", "World", "node_from", "plain"]
