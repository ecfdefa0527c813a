"""Who may reach what: the security groups of a cluster.

    cluster    all nodes; what nodes need of each other
    control    control planes
    workers    workers
    balancer   the balancer in front of the control planes

The Kubernetes API and the Talos API are open to the operators that the file names, and to nobody else outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

from prov_aws.design_network import Maker, Network
from prov_aws.settings import AwsSettings, wrong
from provisioner.sdk import Address, Call, Ref, Resource, Slice, Value

API, TALOS, TRUSTD = 6443, 50000, 50001
_MOST_RULES = 60
"""How many rules a security group takes by default."""


@frozen
class Access:
    """The groups, as machines and balancer are given them."""

    cluster: Ref
    control: Ref
    workers: Ref
    balancer: Ref
    resources: tuple[Resource, ...]


def names(instance: str) -> Mapping[str, Address]:
    """The address of each group."""
    return {
        what: Address("aws.security_group", f"{instance}-{what}")
        for what in ("cluster", "control", "workers", "balancer")
    }


def access(part: Slice, settings: AwsSettings, network: Network) -> Access:
    """The groups for a slice; raises ProvError where the file says nothing about operators."""
    if not settings.operators:
        raise wrong(
            "operators is empty, so nobody could reach the cluster, prov included; name the addresses you come from, "
            "such as 203.0.113.7/32, or 0.0.0.0/0 for the whole world"
        )
    maker = Maker(part.instance, part.topology.cluster, settings.tags)
    refs = {what: Ref(address, "id") for what, address in names(part.instance).items()}
    balanced = part.topology.endpoint.text == "auto"
    rules = {
        "cluster": _cluster(settings),
        "balancer": _balancer(settings, network, refs),
        "control": _control(settings, refs, balanced=balanced),
        "workers": _workers(settings, refs),
    }
    about = {
        "cluster": "what nodes need of each other",
        "balancer": "who reaches the balancer",
        "control": "who reaches control planes",
        "workers": "who reaches workers",
    }
    out = _outgoing(settings, network, balanced=balanced)
    wanted = [what for what in rules if what != "balancer" or balanced]
    groups = tuple(
        maker.resource(
            "aws.security_group",
            f"{part.instance}-{what}",
            {"network": network.id, "about": about[what], "rules": tuple(rules[what]), **out.get(what, {})},
        )
        for what in wanted
    )
    return Access(refs["cluster"], refs["control"], refs["workers"], refs["balancer"], groups)


def let_in(part: Slice, settings: AwsSettings, hosts: Mapping[str, Value]) -> tuple[Resource, ...]:
    """A rule for each node with a public address: from there it reaches the name of a public balancer.

    `hosts` are the addresses by node. One rule spans the ports: a group takes few rules, and between the
    listeners of the balancer nothing answers.
    """
    if len(hosts) + len(settings.operators) + 4 > _MOST_RULES:
        raise wrong(
            f"{len(hosts)} nodes with public addresses are too many for a security group, which takes {_MOST_RULES} "
            "rules; use `nodes: private`, which are seen from outside as one, or a balancer that is not public"
        )
    maker = Maker(part.instance, part.topology.cluster, settings.tags)
    group = Ref(names(part.instance)["balancer"], "id")
    return tuple(
        maker.resource(
            "aws.security_group_rule",
            f"{name}-api",
            {
                "group": group,
                "ports": f"tcp/{API}-{TRUSTD}",
                "source": Call("concat", (host, "/32")),
                "about": f"{name} by its public address",
            },
        )
        for name, host in hosts.items()
    )


def _cluster(settings: AwsSettings) -> Iterable[Mapping[str, Value]]:
    yield _rule("tcp/10250", "self", "kubelet")
    yield _rule("udp/4789", "self", "flannel VXLAN")
    yield _rule("icmp", "self", "path MTU")
    if settings.ipv6:
        yield _rule("icmpv6", "self", "path MTU")
    for ports in settings.peer_ports:
        yield _rule(ports, "self", "peer_ports")


def _outgoing(settings: AwsSettings, network: Network, *, balanced: bool) -> Mapping[str, Mapping[str, Value]]:
    """What each group lets out, where the file says anything of it; a node may do what any of its groups lets it."""
    if not settings.outgoing:
        return {}
    rules: list[Value] = [{"ports": "all", "to": "self", "for": "other nodes"}]
    if balanced:
        whom: Value = "0.0.0.0/0"
        if isinstance(network.id, Ref) and not settings.balancer.get("public", True):
            whom = Ref(network.id.to, "cidr")  # its group names the nodes', so theirs cannot name it
        rules += [{"ports": f"tcp/{port}", "to": whom, "for": "the balancer"} for port in (API, TRUSTD)]
    return {
        "cluster": {"outgoing": (*rules, *settings.outgoing)},
        "control": {"outgoing": ()},
        "workers": {"outgoing": ()},
    }


def _control(settings: AwsSettings, refs: Mapping[str, Ref], *, balanced: bool) -> Iterable[Mapping[str, Value]]:
    yield _rule("tcp/2379-2380", "self", "etcd")
    yield _rule(f"tcp/{API}", refs["cluster"], "Kubernetes API")
    yield _rule(f"tcp/{TRUSTD}", refs["cluster"], "certificates of Talos")
    yield _rule(f"tcp/{TALOS}", "self", "Talos API, passed on by other control planes")
    if balanced:
        for port in (API, TRUSTD, *((TALOS,) if settings.balancer.get("talos_api") else ())):
            yield _rule(f"tcp/{port}", refs["balancer"], "through the balancer")
    for cidr in settings.operators:
        yield _rule(f"tcp/{TALOS}", cidr, "operators")
        if not balanced:
            yield _rule(f"tcp/{API}", cidr, "operators")


def _workers(settings: AwsSettings, refs: Mapping[str, Ref]) -> Iterable[Mapping[str, Value]]:
    yield _rule(f"tcp/{TALOS}", refs["control"], "Talos API, passed on by control planes")
    for cidr in settings.operators:
        yield _rule(f"tcp/{TALOS}", cidr, "operators")
    for cidr in settings.node_ports:
        yield _rule("tcp/30000-32767", cidr, "node_ports")
        yield _rule("udp/30000-32767", cidr, "node_ports")


def _balancer(settings: AwsSettings, network: Network, refs: Mapping[str, Ref]) -> Iterable[Mapping[str, Value]]:
    for cidr in settings.operators:
        yield _rule(f"tcp/{API}", cidr, "operators")
        if settings.balancer.get("talos_api"):
            yield _rule(f"tcp/{TALOS}", cidr, "operators")
    nodes: list[Value] = [refs["cluster"], *network.outside]
    if settings.ipv6 and isinstance(network.id, Ref):
        nodes.append(Ref(network.id.to, "ipv6_cidr"))
    for source in nodes:
        yield _rule(f"tcp/{API}", source, "nodes")
        yield _rule(f"tcp/{TRUSTD}", source, "nodes")


def _rule(ports: str, source: Value, text: str) -> Mapping[str, Value]:
    return {"ports": ports, "from": source, "for": text}
