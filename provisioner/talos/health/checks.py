"""What must hold in a healthy cluster, in the order in which it comes to hold.

The order and the meaning are those of Talos's own health check, as far as it asks the Talos and the Kubernetes
API about machines and nodes. Node lists must match exactly; nodes are compared by name, which prov gives to
machine, etcd member and Kubernetes node alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import frozen

from provisioner.sdk import ProviderError
from provisioner.talos.api.access import Access, Configured, Foreign, KubernetesNode, Maintenance, Outlook, Silent
from provisioner.talos.health.condition import Condition


@frozen
class Picture:
    """The cluster at one moment.

    control_planes, workers  the names that should be there, sorted
    machines                 outlook by node name; a node whose host is not known is missing
    kubernetes               Node objects by name, or the sentence why they are not known
    """

    control_planes: Sequence[str]
    workers: Sequence[str]
    machines: Mapping[str, Outlook]
    kubernetes: Mapping[str, KubernetesNode] | str

    @property
    def nodes(self) -> tuple[str, ...]:
        return (*self.control_planes, *self.workers)

    def machine(self, node: str) -> Configured | None:
        outlook = self.machines.get(node)
        return outlook if isinstance(outlook, Configured) else None


def take_picture(client: Access, control_planes: Sequence[str], workers: Sequence[str]) -> Picture:
    """Asks all machines at once, then Kubernetes; a failure to answer becomes part of the picture."""
    hosts = {node: client.nodes[node] for node in (*control_planes, *workers) if node in client.nodes}
    looks = client.look(hosts.values(), configs=False)
    machines = {node: looks[host] for node, host in hosts.items()}
    kubernetes: Mapping[str, KubernetesNode] | str
    try:
        kubernetes = client.kubernetes_nodes()
    except ProviderError as err:
        kubernetes = f"{err.summary} ({err.detail})" if err.detail else err.summary
    return Picture(tuple(sorted(control_planes)), tuple(sorted(workers)), machines, kubernetes)


def examine(picture: Picture) -> tuple[Condition, ...]:
    """All conditions, in order."""
    return tuple(check(picture) for check in CHECKS)


def _machines_answer(picture: Picture) -> Condition:
    def missing(node: str) -> str:
        match picture.machines.get(node):
            case Configured():
                return ""
            case Maintenance():
                return f"{node} is in maintenance"
            case Silent(reason) | Foreign(reason):
                return f"{node} does not answer ({reason})"
            case _:
                return f"{node} has no known address"

    return Condition.unless("machines answer", *map(missing, picture.nodes))


def _etcd_healthy(picture: Picture) -> Condition:
    def missing(node: str) -> str:
        machine = picture.machine(node)
        if machine is None or machine.runs("etcd"):
            return "" if machine else f"{node} does not answer"
        etcd = machine.services.get("etcd")
        if etcd is not None and etcd.state == "Preparing":
            return f"etcd on {node} has not joined the others yet"
        return f"etcd on {node} is {etcd.state.lower() if etcd and etcd.state != 'Running' else 'not healthy'}"

    return Condition.unless("etcd is healthy", *map(missing, picture.control_planes))


def _etcd_members_agree(picture: Picture) -> Condition:
    lists: dict[frozenset[int], list[str]] = {}
    for node in picture.control_planes:
        if (machine := picture.machine(node)) and machine.members:
            lists.setdefault(frozenset(member.id for member in machine.members), []).append(node)
    if len(lists) <= 1:
        return Condition("etcd members agree", bool(lists), "" if lists else "no member list")
    camps = " / ".join(sorted(", ".join(nodes) for nodes in lists.values()))
    return Condition("etcd members agree", False, f"control planes have different member lists: {camps}")


def _etcd_members_are_control_planes(picture: Picture) -> Condition:
    name = "etcd members are the control planes"
    machine = next(
        (found for node in picture.control_planes if (found := picture.machine(node)) and found.members), None
    )
    if machine is None or machine.members is None:
        return Condition(name, False, "no member list")
    members = {member.hostname for member in machine.members}
    learners = sorted(member.hostname for member in machine.members if member.learner)
    wanted = set(picture.control_planes)
    return Condition.unless(
        name,
        _listed("not in etcd", wanted - members),
        _listed("in etcd, but no control plane", members - wanted),
        _listed("still learning", learners),
    )


def _kubelet_healthy(picture: Picture) -> Condition:
    return Condition.unless(
        "kubelet is healthy on control planes",
        _listed("not on", [node for node in picture.control_planes if not _runs(picture, node, "kubelet")]),
    )


def _booted(picture: Picture) -> Condition:
    def missing(node: str) -> str:
        machine = picture.machine(node)
        if machine is None:
            return f"{node} does not answer"
        if machine.stage == "running" and machine.ready:
            return ""
        return f"{node} is {machine.stage}" + (f" ({'; '.join(machine.unmet)})" if machine.unmet else "")

    return Condition.unless("machines have booted", *map(missing, picture.nodes))


def _kubernetes_answers(picture: Picture) -> Condition:
    answer = picture.kubernetes
    return Condition.unless("Kubernetes answers", answer if isinstance(answer, str) else "")


def _nodes_report(picture: Picture) -> Condition:
    name = "Kubernetes has all nodes"
    if isinstance(picture.kubernetes, str):
        return Condition(name, False, "nodes not known")
    wanted, there = set(picture.nodes), set(picture.kubernetes)
    return Condition.unless(
        name, _listed("missing", wanted - there), _listed("in Kubernetes, but no node", there - wanted)
    )


def _nodes_ready(picture: Picture) -> Condition:
    name = "Kubernetes nodes are ready"
    if isinstance(picture.kubernetes, str):
        return Condition(name, False, "nodes not known")
    found = picture.kubernetes
    return Condition.unless(
        name, _listed("not ready", [node for node in picture.nodes if node not in found or not found[node].ready])
    )


def _runs(picture: Picture, node: str, service: str) -> bool:
    machine = picture.machine(node)
    return machine is not None and machine.runs(service)


def _listed(what: str, names: set[str] | list[str]) -> str:
    return f"{what}: {', '.join(sorted(names))}" if names else ""


CHECKS: tuple[Callable[[Picture], Condition], ...] = (
    _machines_answer,
    _etcd_healthy,
    _etcd_members_agree,
    _etcd_members_are_control_planes,
    _kubelet_healthy,
    _booted,
    _kubernetes_answers,
    _nodes_report,
    _nodes_ready,
)
