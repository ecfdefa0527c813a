"""From what a generated value was made, where its place tells.

Only values that depend on the file, the node or its machine are listed; all others are defaults of the contract.
"""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.sdk import Path
from provisioner.talos.config.path import Pattern, matches, patterns

_NODE = "the name of the node"
_NAME = "`name` of the cluster file"
_ENDPOINT = "`endpoint` of the cluster file"
_RELEASE = "the release of Kubernetes"
_MACHINE = "its machine"

_REASONS: Mapping[str, tuple[tuple[tuple[Pattern, ...], str], ...]] = {
    "": (
        (patterns("machine.type"), "the role of its pool"),
        (patterns("machine.certSANs.*", "cluster.apiServer.certSANs.*", "cluster.controlPlane.endpoint"), _ENDPOINT),
        (patterns("machine.network.hostname"), _NODE),
        (patterns("machine.install.disk"), _MACHINE),
        (patterns("machine.install.image"), "the release of Talos, its schematic and its machine"),
        (patterns("machine.kubelet.image", "cluster.*.image"), _RELEASE),
        (patterns("cluster.clusterName"), _NAME),
    ),
    "HostnameConfig": ((patterns("hostname"), _NODE),),
    "KubeAPIServerConfig": ((patterns("image"), _RELEASE), (patterns("certExtraSANs.*"), _ENDPOINT)),
    "KubeClusterConfig": ((patterns("clusterName"), _NAME), (patterns("endpoint"), _ENDPOINT)),
    "KubeControllerManagerConfig": ((patterns("image"), _RELEASE),),
    "KubeProxyConfig": ((patterns("image"), _RELEASE),),
    "KubeSchedulerConfig": ((patterns("image"), _RELEASE),),
    "KubeServiceAccountConfig": ((patterns("issuer.issuerURL"), _ENDPOINT),),
    "KubeletConfig": ((patterns("image"), _RELEASE),),
    "UnattendedInstallConfig": ((patterns("provisioning.diskSelector.match", "installer.image"), _MACHINE),),
}
"""By document kind, empty for the root: what values there are made from."""


def reason(kind: str, path: Path) -> str:
    """From what a generated value at this path is made; empty for a default."""
    for places, text in _REASONS.get(kind, ()):
        if any(matches(place, path) for place in places):
            return text
    return ""
