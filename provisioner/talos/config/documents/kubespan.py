"""The `KubeSpanConfig` document: the encrypted network between nodes.

Source: siderolabs/talos v1.14, `types/network/kubespan.go`; for the root document `NetworkKubeSpan` of v1.11.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.settings.forms import ENDPOINT_FILTER, FLAG, NETWORK, whole
from provisioner.talos.settings.section import (
    Complaint,
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
from provisioner.talos.settings.shape import Key, Many, Table

_KUBESPAN = Key(
    Table(
        {
            "enabled": Key(FLAG, "whether nodes talk to each other through it", required=True),
            "advertise_kubernetes_networks": Key(FLAG, "whether the addresses of pods go through it, too"),
            "allow_down_peer_bypass": Key(FLAG, "whether nodes that are not reached through it are reached without"),
            "harvest_extra_endpoints": Key(FLAG, "whether addresses that others see are told"),
            "mtu": Key(whole(1280, 65535), "the largest packet"),
            "endpoints": Key(
                Many(ENDPOINT_FILTER), "networks whose addresses are told as endpoints; `!` before one leaves it out"
            ),
            "exclude_networks": Key(
                Many(NETWORK),
                "networks that are not told",
                needs=lambda contract: contract.kubespan_exclusions,
            ),
        },
        short="enabled",
    ),
    "the encrypted network between nodes; `true` is short for `{enabled: true}`",
)
_NAMES = {
    "enabled": "enabled",
    "advertise_kubernetes_networks": "advertiseKubernetesNetworks",
    "allow_down_peer_bypass": "allowDownPeerBypass",
    "harvest_extra_endpoints": "harvestExtraEndpoints",
    "mtu": "mtu",
}


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    kubespan = table(settings, "kubespan")
    if not kubespan:
        return
    filters = renamed(kubespan, {"endpoints": "endpoints", "exclude_networks": "excludeAdvertisedNetworks"})
    fields = renamed(kubespan, _NAMES) | present(filters=filters)
    if target.contract.kubespan_document:
        yield document("KubeSpanConfig", **fields)
    else:
        yield {"machine": {"network": {"kubespan": fields}}}


def _judge(settings: Settings) -> Iterator[Complaint]:
    spans = plain(table(settings, "kubespan"), "enabled") is True
    if spans and plain(table(settings, "discovery"), "enabled") is False:
        yield Complaint(
            ("kubespan", "enabled"), "nodes find each other through discovery, which is off", "leave discovery on"
        )


KUBESPAN = Section({"kubespan": _KUBESPAN}, _compile, _judge)
