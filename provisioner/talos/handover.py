"""What people are handed at the end: files to reach the cluster with, and a table of its nodes."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from attrs import frozen

from provisioner.sdk import ProviderError, Value
from provisioner.talos.api.access import Access, Configured, Foreign, KubernetesNode, Maintenance, Silent
from provisioner.talos.config.endpoint import url
from provisioner.talos.pki.bundle import from_tree
from provisioner.talos.pki.kubeconfig import kubeconfig
from provisioner.talos.pki.roles import checked
from provisioner.talos.pki.talosconfig import talosconfig


@frozen
class NodeStatus:
    """A line of the node table. Words are empty where nothing is known.

    stage       Talos's word, such as `running`; `maintenance`, `foreign` or `silent` where it is not ours
    ready       whether machine and Kubernetes node both are
    etcd        `member`, `learner` or empty
    version     the Talos release
    kubernetes  the kubelet's release
    note        why it is not ready
    """

    name: str
    role: str
    host: str
    stage: str
    ready: bool
    etcd: str = ""
    version: str = ""
    kubernetes: str = ""
    note: str = ""


YEAR = timedelta(days=365)
"""How long certificates that people get are good for, unless they say otherwise."""


def kubeconfig_text(
    secrets: Mapping[str, Value], *, cluster: str, endpoint: str, now: datetime, ttl: timedelta = YEAR
) -> str:
    """A kubeconfig with a fresh certificate. `endpoint` is a host or URL; raises BundleError."""
    return kubeconfig(from_tree(secrets), cluster=cluster, server=str(url(endpoint)), now=now, ttl=ttl)


def talosconfig_text(
    secrets: Mapping[str, Value],
    *,
    cluster: str,
    endpoints: Sequence[str],
    nodes: Sequence[str],
    now: datetime,
    ttl: timedelta = YEAR,
    roles: Sequence[str] = (),
) -> str:
    """A talosconfig with a fresh certificate, an administrator's where no role is named.

    `endpoints` are hosts of control planes; raises BundleError and NoSuchRole.
    """
    wanted = checked(roles)
    return talosconfig(
        from_tree(secrets), cluster=cluster, endpoints=endpoints, nodes=nodes, now=now, ttl=ttl, roles=wanted
    )


def client_certificate(text: str) -> str:
    """The certificate in a kubeconfig or talosconfig, as PEM; empty where there is none that could be read."""
    found = _FIELD.search(text)
    try:
        return base64.b64decode(found[1]).decode("ascii") if found else ""
    except ValueError:
        return ""


_FIELD = re.compile(r"^ *(?:client-certificate-data|crt): ([A-Za-z0-9+/=]+)$", re.MULTILINE)


def node_status(cluster: Access) -> list[NodeStatus]:
    """All nodes whose host is known, control planes first, then by name; never raises a provider error."""
    looks = cluster.look(cluster.nodes.values(), configs=False)
    kubernetes: Mapping[str, KubernetesNode]
    try:
        kubernetes = cluster.kubernetes_nodes()
    except ProviderError:
        kubernetes = {}
    names = sorted(cluster.nodes, key=lambda name: (name not in cluster.control_planes, name))
    return [_status(cluster, name, looks[cluster.nodes[name]], kubernetes.get(name)) for name in names]


def _status(
    cluster: Access,
    name: str,
    outlook: Maintenance | Configured | Foreign | Silent,
    kubernetes: KubernetesNode | None,
) -> NodeStatus:
    role = "controlplane" if name in cluster.control_planes else "worker"
    host = cluster.nodes[name]
    match outlook:
        case Maintenance(stage):
            return NodeStatus(name, role, host, stage, ready=False, note="has no configuration")
        case Foreign(reason):
            return NodeStatus(name, role, host, "foreign", ready=False, note=reason)
        case Silent(reason):
            return NodeStatus(name, role, host, "silent", ready=False, note=reason)
        case Configured() as machine:
            ready = machine.stage == "running" and machine.ready and kubernetes is not None and kubernetes.ready
            return NodeStatus(
                name,
                role,
                host,
                machine.stage,
                ready=ready,
                etcd=_etcd(name, host, machine),
                version=machine.version,
                kubernetes=kubernetes.version if kubernetes else "",
                note=_note(machine, kubernetes),
            )


def _note(machine: Configured, kubernetes: KubernetesNode | None) -> str:
    if not machine.ready:
        return "; ".join(machine.unmet)
    if kubernetes is None:
        return "not in Kubernetes"
    return "" if kubernetes.ready else "not ready in Kubernetes"


def _etcd(name: str, host: str, machine: Configured) -> str:
    own = next((member for member in machine.members or () if member.is_of(name, host)), None)
    if own is None:
        return ""
    return "learner" if own.learner else "member"
