"""What the machines of a cluster tell one another, and what each makes of it.

Each machine says all it knows, again and again and whenever something changes: how it is itself, and its copy of
every etcd of its domain. There is no leader. Copies are merged by rules whose order does not matter:

    members   come, and never change but from learner to voter; who was removed stays removed
    nodes     the later word counts; a word is later by its counter, then by who said it

A machine that has not been heard of for a while counts as down. Two machines that join at the very same time may
both be learners for a moment, which a real etcd would not allow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from attrs import define, field
from prov_sim.machine.etcd import Domain, Etcd, Member
from prov_sim.machine.node import Kubelet, Node

from prov_standin.plain import node_from, plain_node

SILENCE_S: Final = 12.0
"""How long a machine may say nothing before it counts as down."""


@define(eq=False)
class Remote:
    """Another machine: what it last said of itself, when (seconds of any clock), and from which address."""

    id: str
    said: dict[str, Any] = field(factory=dict)
    heard: float = 0.0
    source: str = ""

    @property
    def address(self) -> str:
        return str(self.said.get("address", ""))

    @property
    def hostname(self) -> str:
        return str(self.said.get("hostname", ""))

    @property
    def is_control_plane(self) -> bool:
        return self.said.get("type") == "controlplane"

    @property
    def operating_system(self) -> str:
        return str(self.said.get("system", ""))

    @property
    def up(self) -> bool:
        return bool(self.said.get("up"))

    def keeps(self, node: str) -> bool:
        return bool(node) and self.said.get("kubelet") == node

    def runs(self, member: Member) -> bool:
        return self.said.get("member") == f"{member.id:x}"


@define
class Word:
    """What was last said about a node; `node` is None where it was deleted."""

    counter: int
    by: str
    node: Node | None
    version: int = 0

    def is_about(self, node: Node) -> bool:
        return self.node is node and self.version == node.version


@define
class Copy:
    """Our copy of one etcd, with what its own objects do not show."""

    name: str
    etcd: Etcd
    members: set[int] = field(factory=set)
    removed: set[int] = field(factory=set)
    words: dict[str, Word] = field(factory=dict)

    def document(self) -> dict[str, Any]:
        members = {f"{item.id:x}": [item.name, item.address, item.learner] for item in self.etcd.members.values()}
        words = {
            name: [word.counter, word.by, plain_node(word.node) if word.node is not None else None]
            for name, word in sorted(self.words.items())
        }
        removed = sorted(f"{number:x}" for number in self.removed)
        return {"name": self.name, "members": members, "removed": removed, "nodes": words}


class Gossip:
    """The copies of one machine, and the machines it has heard of. `own` finds what is our own machine's."""

    def __init__(self, own: str, domain: Domain, kubelet: Kubelet, own_member: Callable[[], int]) -> None:
        self._own = own
        self._domain = domain
        self._kubelet = kubelet
        self._own_member = own_member
        self._copies: dict[str, Copy] = {}
        self._counter = 0
        self.remotes: dict[str, Remote] = {}

    def live(self) -> list[Remote]:
        """Those that are up."""
        return [remote for remote in self.remotes.values() if remote.up]

    def adopt(self, kept: dict[str, Any]) -> Etcd:
        """The etcd of a document that was kept on disk; its members count as down."""
        self._merge(kept)
        return self._copies[str(kept["name"])].etcd

    def document(self, etcd: Etcd) -> dict[str, Any]:
        """One etcd as a document."""
        self._notice()
        return next(copy for copy in self._copies.values() if copy.etcd is etcd).document()

    def documents(self) -> list[dict[str, Any]]:
        """All etcds as documents."""
        self._notice()
        return [copy.document() for copy in self._copies.values()]

    def hear(self, said: dict[str, Any], documents: Iterable[dict[str, Any]], source: str, now: float) -> bool:
        """Takes in what a machine says; true where something is different now."""
        self._notice()
        remote = self._remote(str(said["id"]))
        news = remote.said != said
        remote.said, remote.heard, remote.source = said, now, source
        for document in documents:
            news = self._merge(document) or news
        return self._mark() or news

    def expire(self, now: float) -> bool:
        """Counts as down who has been silent for too long; true where that is news."""
        silent = [item for item in self.remotes.values() if item.said and now - item.heard > SILENCE_S]
        for remote in silent:
            remote.said = {}
        return self._mark() or bool(silent)

    def _remote(self, name: str) -> Remote:
        return self.remotes.setdefault(name, Remote(name))

    # What our own machine did to the copies since we last looked.

    def _notice(self) -> None:
        known = {id(copy.etcd): copy for copy in self._copies.values()}
        for etcd in self._domain.etcds:
            copy = known.get(id(etcd))
            if copy is None:
                name = f"{min(etcd.members, default=0):x}"
                copy = self._copies[name] = Copy(name, etcd)
            self._notice_in(copy)

    def _notice_in(self, copy: Copy) -> None:
        copy.removed |= copy.members - set(copy.etcd.members)
        copy.members = set(copy.etcd.members)
        for name, node in copy.etcd.nodes.items():
            word = copy.words.get(name)
            if word is None or not word.is_about(node):
                copy.words[name] = self._word(node)
        for name, word in copy.words.items():
            if word.node is not None and name not in copy.etcd.nodes:
                copy.words[name] = self._word(None)

    def _word(self, node: Node | None) -> Word:
        self._counter += 1
        return Word(self._counter, self._own, node, node.version if node is not None else 0)

    # What others say.

    def _merge(self, document: dict[str, Any]) -> bool:
        name = str(document["name"])
        copy = self._copies.get(name)
        if copy is None:
            copy = self._copies[name] = Copy(name, Etcd())
            self._domain.etcds.append(copy.etcd)
        news = _merge_members(copy, document)
        for node, (counter, by, item) in document["nodes"].items():
            self._counter = max(self._counter, counter)
            known = copy.words.get(node)
            if known is None or (known.counter, known.by) < (counter, by):
                self._take(copy, node, counter, by, item)
                news = True
        return news

    def _take(self, copy: Copy, name: str, counter: int, by: str, item: dict[str, Any] | None) -> None:
        if item is None:
            copy.etcd.nodes.pop(name, None)
            copy.words[name] = Word(counter, by, None)
            return
        owner = str(item["facts"]["machine_id"])
        node = node_from(item, self._kubelet if owner == self._own else self._remote(owner))
        copy.etcd.nodes[name] = node
        copy.words[name] = Word(counter, by, node, node.version)

    def _mark(self) -> bool:
        """Marks which members of others are up; true where that is news."""
        news = False
        for copy in self._copies.values():
            for member in copy.etcd.members.values():
                if member.id != self._own_member():
                    up = any(remote.runs(member) for remote in self.remotes.values())
                    news, member.up = news or up != member.up, up
        return news


def _merge_members(copy: Copy, document: dict[str, Any]) -> bool:
    removed = {int(number, 16) for number in document["removed"]}
    news = not removed <= copy.removed
    copy.removed |= removed
    for number in copy.removed & set(copy.etcd.members):
        copy.etcd.members.pop(number).up = False
    for text, (name, address, learner) in document["members"].items():
        number = int(text, 16)
        member = copy.etcd.members.get(number)
        if member is None and number not in copy.removed:
            copy.etcd.add(Member(number, name, address, learner))
            news = True
        elif member is not None and member.learner and not learner:
            member.learner = False
            news = True
    copy.members = set(copy.etcd.members)
    return news
