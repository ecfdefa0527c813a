"""What machines make of each other's words, without a network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import permutations
from random import Random
from typing import Any

import pytest
from attrs import define, field
from prov_sim.machine.etcd import Domain
from prov_sim.machine.node import Node, NodeFacts
from prov_standin.gossip import SILENCE_S, Gossip


def facts(name: str, machine: str) -> NodeFacts:
    return NodeFacts(name, "10.9.0.1", True, "v1.36.3", "stand-in", machine, "", 1, 512, {}, {}, ())


@define(eq=False)
class Machine:
    """As much of a machine as gossip needs."""

    id: str
    domain: Domain = field(factory=lambda: Domain("d", Random(1)))
    kubelet: str = ""
    member: int = 0
    gossip: Gossip = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.domain.random = Random(self.id)
        self.gossip = Gossip(self.id, self.domain, self, lambda: self.member)

    def keeps(self, node: str) -> bool:
        return self.kubelet == node

    def bootstrap(self) -> None:
        etcd, member = self.domain.bootstrap(self.id, "10.9.0.1")
        self.member, member.up = member.id, True
        assert etcd.healthy

    def join(self) -> None:
        etcd = self.domain.joinable()
        assert etcd is not None
        member = self.domain.join(etcd, self.id, "10.9.0.2")
        self.member, member.up, member.learner = member.id, True, False

    def register(self, name: str, version: int = 1) -> None:
        self.kubelet = name
        stamp = datetime(2026, 1, 1, tzinfo=UTC)
        self.domain.etcds[0].nodes[name] = Node(facts(name, self.id), self, "uid", stamp, version)

    def says(self) -> str:
        said = {
            "id": self.id,
            "up": True,
            "kubelet": self.kubelet,
            "member": f"{self.member:x}" if self.member else "",
        }
        return json.dumps([said, self.gossip.documents()])

    def hear(self, words: str, now: float = 0.0) -> bool:
        said, documents = json.loads(words)
        return self.gossip.hear(said, documents, "10.9.0.9", now)

    def view(self) -> Any:
        return [
            (
                sorted((m.name, m.learner, m.up) for m in etcd.members.values()),
                {n: x.ready for n, x in etcd.nodes.items()},
            )
            for etcd in self.domain.etcds
        ]


def talk(*machines: Machine, now: float = 0.0) -> None:
    """Everybody hears everybody, twice."""
    for _ in range(2):
        for speaker in machines:
            for listener in machines:
                if listener is not speaker:
                    listener.hear(speaker.says(), now)


@pytest.fixture
def three() -> Sequence[Machine]:
    """Three control planes of one etcd, with their nodes."""
    first, second, third = Machine("m-1"), Machine("m-2"), Machine("m-3")
    first.bootstrap()
    for newcomer in (second, third):
        talk(first, second, third)
        newcomer.join()
    talk(first, second, third)
    for machine in (first, second, third):
        machine.register(f"node-{machine.id}")
    talk(first, second, third)
    return first, second, third


def test_everybody_sees_the_same(three: Sequence[Machine]) -> None:
    """Members and nodes of all are known to all, and all are up and ready."""
    members = [("m-1", False, True), ("m-2", False, True), ("m-3", False, True)]
    nodes = {"node-m-1": True, "node-m-2": True, "node-m-3": True}

    assert [machine.view() for machine in three] == [[(members, nodes)]] * 3


def test_the_order_of_words_does_not_matter(three: Sequence[Machine]) -> None:
    """Whatever order the same words come in, a newcomer ends up with the same."""
    first, second, third = three
    before = [machine.says() for machine in three]
    first.domain.etcds[0].remove(third.member)
    second.domain.etcds[0].nodes.pop("node-m-3")
    words = [*before, first.says(), second.says()]
    views = []
    for order in permutations(words):
        newcomer = Machine("m-4")
        for word in order:
            newcomer.hear(word)
        views.append([(sorted(n for n, _, _ in members), sorted(nodes)) for members, nodes in newcomer.view()])

    assert all(view == [(["m-1", "m-2"], ["node-m-1", "node-m-2"])] for view in views)


def test_who_was_removed_stays_removed(three: Sequence[Machine]) -> None:
    """A member that slept through its removal learns of it, and nobody believes its old copy."""
    first, second, third = three
    old = third.says()
    first.domain.etcds[0].remove(third.member)
    talk(first, second)
    second.hear(old)
    third.hear(second.says())

    assert third.member not in second.domain.etcds[0].members
    assert third.member not in third.domain.etcds[0].members


def test_a_node_registered_again_after_its_deletion_is_back(three: Sequence[Machine]) -> None:
    """The later word counts, whoever said the earlier one."""
    first, second, third = three
    first.domain.etcds[0].nodes.pop("node-m-3")
    talk(first, second, third)
    assert "node-m-3" not in third.domain.etcds[0].nodes

    third.register("node-m-3", version=2)
    talk(first, second, third)

    assert first.domain.etcds[0].nodes["node-m-3"].ready


def test_silence_takes_the_quorum(three: Sequence[Machine]) -> None:
    """Machines that are not heard of count as down; with two of three gone nothing can be written."""
    first, second, _ = three
    first.hear(second.says(), now=100.0)
    first.gossip.expire(100.0)
    assert first.domain.etcds[0].healthy
    assert not first.domain.etcds[0].nodes["node-m-3"].ready

    assert first.gossip.expire(101.0 + SILENCE_S)
    assert not first.domain.etcds[0].healthy
    assert not first.gossip.expire(102.0 + SILENCE_S)


def test_what_was_kept_comes_back(three: Sequence[Machine]) -> None:
    """A machine that boots from its own document knows its members, all down, and its nodes, none ready."""
    first, *_ = three
    kept = first.gossip.document(first.domain.etcds[0])
    again = Machine("m-1")
    etcd = again.gossip.adopt(json.loads(json.dumps(kept)))

    assert sorted(etcd.members) == sorted(first.domain.etcds[0].members)
    assert not any(member.up for member in etcd.members.values())
    assert not any(node.ready for node in etcd.nodes.values())
    assert etcd.members[first.member].name == "m-1"
