"""Which host becomes which node. Pure, and the same every time.

What a node holds it keeps. Others get, one after the other by name, the free host that fits and stands in the rack
with the fewest nodes of the pool so far; among equals the inventory's order decides. A host that a dropped node still
holds is taken only when there is no other: it has to be released first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from prov_metal import matching
from prov_metal.settings import HostRow, MetalNodeOptions, options_of
from provisioner.sdk import Node, ProvError


def claim(nodes: tuple[Node, ...], hosts: Mapping[str, HostRow], held: Mapping[str, str]) -> dict[str, str]:
    """Host by node name; raises ProvError naming the node that finds none, or whose host is gone."""
    claims = {node.name: _kept(node, hosts, held[node.name]) for node in nodes if node.name in held}
    leaving = set(held.values()) - set(claims.values())
    for node in nodes:
        if node.name not in claims:
            claims[node.name] = _chosen(node, nodes, hosts, claims, leaving)
    return claims


def _kept(node: Node, hosts: Mapping[str, HostRow], name: str) -> str:
    if name in hosts:
        return name
    raise ProvError(
        "a host is no longer in the inventory",
        detail=f"the node {node.name} runs on {name}",
        remedy=f"put {name} back; to give the host up, list {node.name} under `without:` of its pool first",
    )


def _chosen(
    node: Node, nodes: tuple[Node, ...], hosts: Mapping[str, HostRow], claims: Mapping[str, str], leaving: set[str]
) -> str:
    taken = set(claims.values())
    fitting = [name for name, row in hosts.items() if name not in taken and _fits(node, name, row)]
    if not fitting:
        raise ProvError(
            "there is no free host for a node",
            detail=f"{node.name}: {_wish(node)}; of {len(hosts)} hosts {len(taken)} are taken",
            remedy="add hosts to the inventory, or ask the pool for fewer nodes",
        )
    pool = {other.name for other in nodes if other.pool == node.pool}
    racks = Counter(hosts[host].rack for name, host in claims.items() if name in pool)
    order = {name: place for place, name in enumerate(hosts)}
    return min(fitting, key=lambda name: (name in leaving, racks[hosts[name].rack], order[name]))


def _fits(node: Node, name: str, row: HostRow) -> bool:
    wish = options_of(node.pool, node.options)
    return (
        (not wish.hosts or name in wish.hosts)
        and (not wish.racks or row.rack in wish.racks)
        and (not node.zone or row.rack == node.zone)
        and wish.labels.items() <= row.labels.items()
        and matching.fits(wish.facts, row.facts)
    )


def _wish(node: Node) -> str:
    wish: MetalNodeOptions = options_of(node.pool, node.options)
    parts = [f"one of {', '.join(wish.hosts)}"] if wish.hosts else []
    parts += [f"in {' or '.join((node.zone,) if node.zone else wish.racks)}"] if node.zone or wish.racks else []
    parts += [f"with {key}={value}" for key, value in wish.labels.items()]
    parts += [f"whose {key} is {value}" for key, value in wish.facts.items()]
    return f"a host {' '.join(parts)} is wanted" if parts else "any host will do"
