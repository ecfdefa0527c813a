"""The `DiscoveryServiceConfig` document: how nodes find each other.

Source: siderolabs/talos v1.14, `types/cluster/discovery_service.go` and `generate`; for the root document
`ClusterDiscoveryConfig` of v1.13.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.settings.forms import SWITCH, url
from provisioner.talos.settings.section import (
    Document,
    Section,
    Settings,
    Target,
    document,
    plain,
    present,
    renamed,
    table,
)
from provisioner.talos.settings.shape import Key, Table

KIND = "DiscoveryServiceConfig"
NAME = "default"
"""Of the document that is generated."""

_DISCOVERY = Key(
    Table(
        {
            "enabled": Key(SWITCH, "whether they do; true unless it says otherwise"),
            "endpoint": Key(
                url("https", "http", "grpc", bare=True), "the service they meet at, if it is not the public one"
            ),
        },
        short="enabled",
    ),
    "how nodes find each other; `false` is short for `{enabled: false}`",
)


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    discovery = table(settings, "discovery")
    if not discovery:
        return
    off = plain(discovery, "enabled") is False
    if target.contract.kubernetes_by_documents:
        if off:
            yield document(KIND, NAME, **{"$patch": "delete"})
        elif "endpoint" in discovery:
            yield document(KIND, NAME, endpoint=discovery["endpoint"])
        return
    service = present(service=renamed(discovery, {"endpoint": "endpoint"}))
    yield {"cluster": {"discovery": renamed(discovery, {"enabled": "enabled"}) | present(registries=service)}}


DISCOVERY = Section({"discovery": _DISCOVERY}, _compile)
