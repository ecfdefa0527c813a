"""What a document rules out in the v1alpha1 document.

Source: siderolabs/talos v1.12.7, v1.13.9 and v1.14.1, the methods `V1Alpha1ConflictValidate`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from prov_sim.machine.documents import MachineConfig, Tree

_TABLE: Final = """
HostnameConfig: machine.network.hostname machine.features.stableHostname
ResolverConfig: machine.network.nameservers machine.network.searchDomains machine.network.disableSearchDomain
TimeSyncConfig: machine.time.disabled machine.time.servers machine.time.bootTimeout
KubeSpanConfig: machine.network.kubespan
ImageCacheConfig: machine.features.imageCache
CRIBaseRuntimeSpecConfig: machine.baseRuntimeSpecOverrides
UnattendedInstallConfig: machine.install
DiscoveryServiceConfig: cluster.discovery
DiscoveryIdentityConfig: cluster.id cluster.secret
KubeClusterConfig: cluster.clusterName cluster.controlPlane.endpoint
KubeNetworkConfig: cluster.network
KubeFlannelCNIConfig: cluster.network
KubeletConfig: machine.kubelet
KubeCredentialProviderConfig: machine.kubelet
KubeNodeConfig: cluster.allowSchedulingOnControlPlanes cluster.allowSchedulingOnMasters machine.nodeLabels
    machine.nodeAnnotations machine.nodeTaints machine.kubelet.nodeIP machine.kubelet.registerWithFQDN
    machine.kubelet.skipNodeRegistration
KubePrismConfig: machine.features.kubePrism
KubeTalosAPIAccessConfig: machine.features.kubernetesTalosAPIAccess
KubeAPIServerCAConfig: cluster.ca cluster.acceptedCAs
KubeAggregatorCAConfig: cluster.aggregatorCA
KubeServiceAccountConfig: cluster.serviceAccount
KubeEtcdEncryptionConfig: cluster.secretboxEncryptionSecret cluster.aescbcEncryptionSecret
KubeAdmissionControlConfig: cluster.apiServer.admissionControl
KubeAuditPolicyConfig: cluster.apiServer.auditPolicy
KubeAuthorizerConfig: cluster.apiServer.admissionControl
KubeAPIServerConfig: cluster.apiServer cluster.controlPlane.localAPIServerPort
KubeControllerManagerConfig: cluster.controllerManager machine.controlPlane.controllerManager
KubeSchedulerConfig: cluster.scheduler machine.controlPlane.scheduler
KubeProxyConfig: cluster.proxy
KubeCoreDNSConfig: cluster.coreDNS
"""
_PLACES: Final = {
    kind.strip(): tuple(places.split())
    for kind, _, places in (entry.partition(":") for entry in _TABLE.replace("\n    ", " ").splitlines() if entry)
}


def conflicts(config: MachineConfig) -> Iterator[str]:
    """One sentence for each place of the v1alpha1 document that a document beside it rules out."""
    for document in config.documents:
        for place in (*_PLACES.get(document["kind"], ()), *_by_content(document)):
            if _is_set(config.get(*place.split("."))):
                yield f"{document['kind']} conflicts with {place}, which is already set in v1alpha1 config"


def _by_content(document: Tree) -> Iterator[str]:
    """Places that are ruled out by what a document says, not by its being there."""
    if document["kind"] == "ResolverConfig" and document.get("hostDNS"):
        yield "machine.features.hostDNS"
    if document["kind"] == "VolumeConfig" and document.get("encryption"):
        yield f"machine.systemDiskEncryption.{str(document.get('name')).lower()}"


def _is_set(value: Any) -> bool:
    return value is not None and value is not False and value != ""
