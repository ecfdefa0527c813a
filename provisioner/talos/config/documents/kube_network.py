"""The `KubeNetworkConfig` document: the addresses and names of pods and services.

Source: siderolabs/talos v1.14, `types/k8s/network.go`; for the root document `ClusterNetworkConfig` of v1.13.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from provisioner.sdk import Path, strip_origins
from provisioner.talos.settings.forms import HOST, NETWORK, fixed
from provisioner.talos.settings.section import (
    Complaint,
    Document,
    Section,
    Settings,
    Target,
    document,
    items,
    renamed,
)
from provisioner.talos.settings.shape import Key, Many

_NAMES = {"dns_domain": "dnsDomain", "pod_subnets": "podSubnets", "service_subnets": "serviceSubnets"}
_NODE = {4: 24, 6: 64}
"""The prefix length of one node's part of the pod subnet, by IP version."""
_MOST_NODES = 16
_MOST_SERVICES = 20
"""Bits."""

_KEYS = {
    "pod_subnets": Key(Many(fixed(NETWORK)), "networks of the pods: one, or one of IPv4 and one of IPv6"),
    "service_subnets": Key(Many(fixed(NETWORK)), "networks of the services, as many as there are of pods"),
    "dns_domain": Key(HOST, "the domain of the services; `cluster.local` unless it says otherwise"),
}


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    fields = renamed(settings, _NAMES)
    if not fields:
        return
    if target.contract.kubernetes_by_documents:
        yield document("KubeNetworkConfig", **fields)
    else:
        yield {"cluster": {"network": fields}}


def _judge(settings: Settings) -> Iterator[Complaint]:
    pods, services = items(settings, "pod_subnets"), items(settings, "service_subnets")
    for key in ("pod_subnets", "service_subnets"):
        yield from _subnets(settings, key)
    if pods and services and len(pods) != len(services):
        detail = f"there are {len(pods)} networks of pods and {len(services)} of services"
        yield Complaint(("service_subnets",), detail, "give one of each for every IP version")
    for key, given, other in (("pod_subnets", pods, "service_subnets"), ("service_subnets", services, "pod_subnets")):
        if len(given) > 1 and other not in settings:
            yield Complaint((key,), f"there are {len(given)} of them, and one of {other}", f"give {other} as well")


def _subnets(settings: Settings, key: str) -> Iterator[Complaint]:
    met: set[int] = set()
    if key in settings and not items(settings, key):
        yield Complaint((key,), "a cluster needs one", "name a network, or take it out")
    for number, item in enumerate(items(settings, key)):
        path, text = (key, number), str(strip_origins(item))
        network = ipaddress.ip_network(text, strict=False)
        if str(network) != text:
            yield Complaint(path, f"{text} is an address within a network", f"write {network}")
        if network.version in met:
            yield Complaint(path, f"there is a network of IPv{network.version} already", "take one of them out")
        met.add(network.version)
        yield from _size(path, network, pods=key == "pod_subnets")


def _size(path: Path, network: ipaddress.IPv4Network | ipaddress.IPv6Network, *, pods: bool) -> Iterator[Complaint]:
    node, bits = _NODE[network.version], network.max_prefixlen - network.prefixlen
    if pods and not node - _MOST_NODES <= network.prefixlen <= node:
        remedy = f"use a prefix length from {node - _MOST_NODES} to {node}"
        yield Complaint(path, f"each node gets a /{node} of it, which {network} has too many or too few of", remedy)
    if not pods and not 4 <= bits <= _MOST_SERVICES:
        remedy = f"use a prefix length from {network.max_prefixlen - _MOST_SERVICES} to {network.max_prefixlen - 4}"
        yield Complaint(path, f"{network} has too many or too few addresses for services", remedy)


KUBE_NETWORK = Section(_KEYS, _compile, _judge)
