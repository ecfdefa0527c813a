"""What nodes are given out of their providers' stocks, and keep for life.

A binding `node/NAME/claim` has the provider instance and what the node got from it, such as `rack-a/r1u12`. Two
instances may have the same stock, so what only one node can have is looked for across all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import evolve

from provisioner.errors import ProvError
from provisioner.model.design import Slice
from provisioner.model.schema import Schema
from provisioner.model.topology import Topology
from provisioner.model.value import Value, strip_origins
from provisioner.sdk.provider import Claims, Infrastructure, KeepsApart, ReadsTables

_PREFIX, _SUFFIX = "node/", "/claim"


def claimed(
    topology: Topology,
    slices: Mapping[str, Slice],
    infrastructure: Mapping[str, Infrastructure],
    held: Mapping[str, str],
) -> tuple[Topology, dict[str, str]]:
    """The topology with every node's claim, and the bindings to keep. `held` are all bindings there are. Pure.

    What was claimed stays claimed, so a new host or node moves nobody. Nodes that the file has dropped hold theirs,
    too: it is for the provider to say when it may be had again. Raises ProvError where a stock is too small, and
    where two nodes would have the same thing out of two instances.
    """
    owners = {node.name: node.provider for node in topology.nodes}
    claims: dict[str, str] = {}
    seen: dict[tuple[str, str, str], str] = {}
    for instance, provider in infrastructure.items():
        if isinstance(provider, Claims):
            mine = _held(instance, held)
            given = provider.claim(slices[instance], mine)
            claims |= given
            dropped = {name: claim for name, claim in mine.items() if name not in owners}
            for name, claim in (dropped | dict(given)).items():
                _alone(name, claim, slices[instance], provider, seen)
    nodes = tuple(evolve(node, claim=claims.get(node.name, "")) for node in topology.nodes)
    bound = {f"{_PREFIX}{name}{_SUFFIX}": f"{owners[name]}/{claim}" for name, claim in claims.items()}
    return evolve(topology, nodes=nodes), bound


def _alone(
    node: str, claim: str, part: Slice, provider: Infrastructure, seen: dict[tuple[str, str, str], str]
) -> None:
    """Raises ProvError where another instance has given away what is in the row of this claim."""
    mine = f"{node} ({claim} of {part.instance})"
    for field, value in _single(claim, part.settings, provider):
        other = seen.setdefault((provider.name, field, value), mine)
        if not other.endswith(f" of {part.instance})"):
            raise ProvError(
                "two nodes would have the same machine",
                detail=f"{mine} and {other}: {field} {value}",
                remedy="put the two provider blocks into one, or let their pools choose among different rows",
            )


def _single(claim: str, settings: Mapping[str, Value], provider: Infrastructure) -> Iterator[tuple[str, str]]:
    """What only one can have, of the row that a claim names."""
    if isinstance(provider, ReadsTables) and isinstance(provider, KeepsApart):
        for table, cls in provider.tables.items():
            rows = strip_origins(settings.get(table))
            row = rows.get(claim) if isinstance(rows, Mapping) else None
            if isinstance(row, Mapping):
                yield from provider.single(table, Schema.of(cls).normal(row))


def _held(instance: str, bindings: Mapping[str, str]) -> dict[str, str]:
    """Claims by node name, of one provider instance."""
    found = {}
    for key, value in bindings.items():
        owner, _, claim = value.partition("/")
        if key.startswith(_PREFIX) and key.endswith(_SUFFIX) and owner == instance:
            found[key.removeprefix(_PREFIX).removesuffix(_SUFFIX)] = claim
    return found
