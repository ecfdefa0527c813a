"""Tables: nodes, providers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from provisioner.render.style import Style


class NodeRow(Protocol):
    """What a row of the node table needs."""

    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def stage(self) -> str: ...
    @property
    def ready(self) -> bool: ...
    @property
    def etcd(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def kubernetes(self) -> str: ...
    @property
    def note(self) -> str: ...


class ClusterView(Protocol):
    """What the summary under the node table needs."""

    @property
    def nodes(self) -> Sequence[NodeRow]: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def healthy(self) -> bool: ...
    @property
    def files(self) -> Mapping[str, str]: ...


def nodes_table(cluster: ClusterView, style: Style) -> str:
    """One line per node, then endpoint, health, and where the files are."""
    head = ("NODE", "ROLE", "ADDRESS", "STAGE", "READY", "ETCD", "TALOS", "KUBERNETES")
    rows = [
        (
            node.name,
            node.role,
            node.host,
            node.stage,
            "yes" if node.ready else "no",
            node.etcd,
            node.version,
            node.kubernetes,
        )
        for node in cluster.nodes
    ]
    health = style.paint("healthy", "green") if cluster.healthy else style.paint("not healthy", "red")
    notes = "".join(f"! {node.name}: {node.note}\n" for node in cluster.nodes if node.note)
    facts = {"endpoint": cluster.endpoint, "health": health, **cluster.files}
    return f"{columns([head, *rows])}{notes}\n" + "".join(f"{name:12} {fact}\n" for name, fact in facts.items())


def providers_table(listed: Iterable[Any]) -> str:
    """Installed providers."""
    return columns([("PROVIDER", "DISTRIBUTION", "VERSION"), *((p.name, p.distribution, p.version) for p in listed)])


def provider_text(described: Mapping[str, Any]) -> str:
    """One provider with everything it knows."""
    lines = [f"{described['name']} {described['version']}: {described['summary']}", "", "settings:"]
    lines += [_field(field) for field in described["settings"]]
    if described["pool_options"]:
        lines += ["", "pool options:"]
        lines += [_field(field) for field in described["pool_options"]]
    for kind in described["kinds"]:
        lines += ["", f"{kind['name']}{' (gate)' if kind['gate'] else ''}: {kind['summary']}"]
        lines += [_field(field) for field in kind["props"]]
        lines += [f"  → {', '.join(kind['outputs'])}"]
    return "\n".join(lines) + "\n"


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns, two spaces apart."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)


def _field(field: Mapping[str, Any]) -> str:
    marks = [*(["required"] if field["required"] else []), *field["marks"]]
    return f"  {field['name']}" + (f"  ({', '.join(marks)})" if marks else "")
