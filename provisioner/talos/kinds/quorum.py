"""Whether etcd can spare a member: the arithmetic of quorum over what the control planes say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from provisioner.talos.api.access import Access, Configured, Member, Outlook


@frozen
class Etcd:
    """The member list as the control plane at `via` has it; `healthy` are the ids whose machine says so."""

    via: str
    members: tuple[Member, ...]
    healthy: frozenset[int]

    def member_of(self, node: str, host: str) -> Member | None:
        """The node's member, if it has one."""
        return next((member for member in self.members if member.is_of(node, host)), None)

    def objection_to_leaving(self, leaving: Member) -> str:
        """Why `leaving`, which is alive, must not leave; empty when it may.

        Those that stay must have a quorum of their own at once.
        """
        if leaving.learner:
            return ""
        staying = [member for member in self._voters if member.id != leaving.id]
        if not staying:
            return "it is the last etcd member"
        return _short(len(staying), self._count(staying), "members that would stay")

    def objection_to_removing(self, dead: Member) -> str:
        """Why `dead`, which does not answer, cannot be removed; empty when it can.

        The removal is itself a decision of all present members, the dead one counted.
        """
        living = [member for member in self._voters if member.id != dead.id]
        return _short(len(self._voters), self._count(living), "etcd members")

    def objection_to_pausing(self, pausing: Member, joining: Sequence[str]) -> str:
        """Why `pausing` must not restart now; empty when it may, or when one or two members leave no choice.

        They do leave one while others are `joining`: then there will be more of them soon.
        """
        if pausing.learner:
            return ""
        if len(self._voters) < 3:
            return f"{', '.join(joining)} has yet to join etcd" if joining else ""
        others = [member for member in self._voters if member.id != pausing.id]
        return _short(len(self._voters), self._count(others), "etcd members")

    @property
    def _voters(self) -> tuple[Member, ...]:
        return tuple(member for member in self.members if not member.learner)

    def _count(self, members: list[Member]) -> int:
        return sum(member.id in self.healthy for member in members)


def etcd_of(client: Access, control_planes: Mapping[str, str], looks: Mapping[str, Outlook]) -> Etcd | None:
    """etcd as seen from the first control plane, by name, that has a member list; None where none has.

    `control_planes` is host by node, `looks` the outlook by host. Members that are not among them, because the
    file no longer names their nodes, are asked at the addresses that etcd itself has of them.
    """
    via = next((host for _, host in sorted(control_planes.items()) if _members(looks.get(host))), None)
    if via is None:
        return None
    members = _members(looks[via])
    further = [host for member in members for host in member.hosts if host not in looks]
    known = {**looks, **client.look(further, configs=False)}
    up = {host for host, outlook in known.items() if isinstance(outlook, Configured) and outlook.runs("etcd")}
    names = {node for node, host in control_planes.items() if host in up}
    healthy = frozenset(m.id for m in members if m.hostname in names or not up.isdisjoint(m.hosts))
    return Etcd(via, members, healthy)


def joining(
    etcd: Etcd | None, control_planes: Mapping[str, str], looks: Mapping[str, Outlook], *, but: str
) -> tuple[str, ...]:
    """The control planes, but for one, that answer as ours and have no vote in etcd yet, by name."""
    ours = {node: host for node, host in control_planes.items() if isinstance(looks.get(host), Configured)}
    return tuple(sorted(node for node, host in ours.items() if node != but and not _votes(etcd, node, host)))


def _votes(etcd: Etcd | None, node: str, host: str) -> bool:
    member = etcd.member_of(node, host) if etcd else None
    return member is not None and not member.learner


def _members(outlook: Outlook | None) -> tuple[Member, ...]:
    return (outlook.members or ()) if isinstance(outlook, Configured) else ()


def _short(total: int, healthy: int, of_what: str) -> str:
    needed = total // 2 + 1
    if healthy >= needed:
        return ""
    return f"of {total} {of_what} {healthy} are healthy, and {needed} are needed for a quorum"
