"""etcd as far as it matters to whoever builds clusters: members, learners, quorum."""

from __future__ import annotations

from random import Random

from attrs import define, field

from prov_sim.machine.node import Node


class NoQuorum(Exception):
    """A write was refused because too few voters are up, or would be."""


@define(eq=False)
class Member:
    """One member. `up` is true while its process runs; a member that died stays one until it is removed."""

    id: int
    name: str
    address: str
    learner: bool
    up: bool = False


@define(eq=False)
class Etcd:
    """One etcd cluster, which began with one bootstrap, and the Kubernetes nodes recorded in it."""

    members: dict[int, Member] = field(factory=dict)
    nodes: dict[str, Node] = field(factory=dict)

    @property
    def voters(self) -> list[Member]:
        return [member for member in self.members.values() if not member.learner]

    @property
    def quorum(self) -> int:
        return len(self.voters) // 2 + 1

    @property
    def healthy(self) -> bool:
        """Whether writes succeed."""
        return sum(member.up for member in self.voters) >= self.quorum

    @property
    def takes_learner(self) -> bool:
        """Whether a further member may join now: one learner at a time."""
        return self.healthy and not any(member.learner for member in self.members.values())

    def add(self, member: Member) -> None:
        self.members[member.id] = member

    def remove(self, member_id: int) -> None:
        """Removes a member; raises KeyError when there is none of that id, NoQuorum when etcd would not do it."""
        going = self.members[member_id]
        left = [member for member in self.voters if member is not going]
        if not self.healthy:
            raise NoQuorum("etcdserver: request timed out")
        if not left:
            raise NoQuorum("etcdserver: the last member cannot be removed")
        if going.up and not going.learner and sum(member.up for member in left) < len(left) // 2 + 1:
            raise NoQuorum("etcdserver: re-configuration failed due to not enough started members")
        del self.members[member_id]
        going.up = False


@define(eq=False)
class Domain:
    """The machines that find each other: same cluster id, discovery secret and Talos CA.

    Two bootstraps in one domain make two etcd clusters that never merge.
    """

    name: str
    random: Random
    etcds: list[Etcd] = field(factory=list)
    bootstraps: int = 0

    def bootstrap(self, name: str, address: str) -> tuple[Etcd, Member]:
        """A new etcd of one member."""
        etcd, member = Etcd(), self._member(name, address, learner=False)
        etcd.add(member)
        self.etcds.append(etcd)
        self.bootstraps += 1
        return etcd, member

    def joinable(self) -> Etcd | None:
        return next((etcd for etcd in self.etcds if etcd.takes_learner), None)

    def join(self, etcd: Etcd, name: str, address: str) -> Member:
        """A further member, a learner at first."""
        member = self._member(name, address, learner=True)
        etcd.add(member)
        return member

    def serving(self) -> Etcd | None:
        """An etcd that a Kubernetes API can stand on."""
        return next((etcd for etcd in self.etcds if etcd.healthy), None)

    def _member(self, name: str, address: str, *, learner: bool) -> Member:
        return Member(self.random.getrandbits(63) + 1, name, address, learner)
