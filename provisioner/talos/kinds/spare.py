"""The gate that lets a control plane be away: before, that etcd can do without its member; after, that it is back.

For who interrupts machines without knowing what runs on them. What changes nodes themselves asks `quorum` on its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import frozen

from provisioner.sdk import Answer, Context, Done, Job, Pending, output, prop
from provisioner.talos.api.access import Access, Configured, Maintenance, Outlook
from provisioner.talos.kinds.quorum import Etcd, etcd_of, joining

POLL_S = 2.0


@frozen
class QuorumProps:
    """`node` is the control plane that is about to be away, or has been: `back` tells which."""

    node: str = prop()
    back: bool = prop(default=False)


@frozen
class QuorumOutputs:
    """`id` is the node's name."""

    id: str = output()


class QuorumGate:
    """`talos.quorum`."""

    props: ClassVar[type[Any]] = QuorumProps
    outputs: ClassVar[type[Any]] = QuorumOutputs

    def check(self, client: Access, job: Job[QuorumProps, QuorumOutputs], ctx: Context) -> Answer:
        """Done when etcd can spare the node's member, or has it back; the note says why it is neither."""
        assert job.wanted is not None
        node = job.wanted.node
        looks = client.look(client.control_planes.values(), configs=False)
        if (etcd := etcd_of(client, client.control_planes, looks)) is None:
            missing = _without_etcd(client.control_planes, looks, node, back=job.wanted.back)
        elif job.wanted.back:
            missing = _away(etcd, client.control_planes, node)
        else:
            missing = _needed(etcd, client.control_planes, looks, node)
        return Pending(after_s=POLL_S, note=missing) if missing else Done(QuorumOutputs(id=node))


def _without_etcd(hosts: Mapping[str, str], looks: Mapping[str, Outlook], node: str, *, back: bool) -> str:
    """Why to wait where nobody tells who is in etcd: there may be one all the same.

    Where all were reached and none has any, there is none. A sole control plane has no others to ask.
    """
    untold = sorted(one for one, host in hosts.items() if not _tells_of_none(looks.get(host)))
    if not untold or (len(hosts) < 2 and not back):
        return ""
    silent = f"etcd does not answer on {', '.join(untold)}"
    return silent if back else f"{node} stays as it is: {silent}"


def _tells_of_none(outlook: Outlook | None) -> bool:
    return isinstance(outlook, Maintenance) or (isinstance(outlook, Configured) and not outlook.has_etcd)


def _needed(etcd: Etcd, hosts: Mapping[str, str], looks: Mapping[str, Outlook], node: str) -> str:
    member = etcd.member_of(node, hosts.get(node, ""))
    if member is None:
        return ""
    objection = etcd.objection_to_pausing(member, joining(etcd, hosts, looks, but=node))
    return f"{node} stays as it is: {objection}" if objection else ""


def _away(etcd: Etcd, hosts: Mapping[str, str], node: str) -> str:
    member = etcd.member_of(node, hosts.get(node, ""))
    if member is None:
        return f"etcd has no member {node} yet"
    return "" if member.id in etcd.healthy else f"etcd's member {node} is not back yet"
