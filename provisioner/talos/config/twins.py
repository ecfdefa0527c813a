"""Settings that have two forms: an old one in the root document, and one in a document of its own.

Of most of them Talos takes one form only, in every release that knows the document. Some may stand side by side.
Source: siderolabs/talos v1.14, `V1Alpha1ConflictValidate` of each document; the judge asks every release.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from provisioner.sdk import Path, Value, strip_origins
from provisioner.talos.config.patch import PatchError, identity_of, place_of
from provisioner.talos.config.path import Pattern, dotted, patterns

_REFUSED: Mapping[str, tuple[Pattern, ...]] = {
    "CRIBaseRuntimeSpecConfig": patterns("machine.baseRuntimeSpecOverrides"),
    "DiscoveryIdentityConfig": patterns("cluster.id", "cluster.secret"),
    "DiscoveryServiceConfig": patterns("cluster.discovery"),
    "HostnameConfig": patterns("machine.network.hostname", "machine.features.stableHostname"),
    "ImageCacheConfig": patterns("machine.features.imageCache"),
    "KubeAPIServerCAConfig": patterns("cluster.ca"),
    "KubeAPIServerConfig": patterns("cluster.apiServer", "cluster.controlPlane.localAPIServerPort"),
    "KubeAdmissionControlConfig": patterns("cluster.apiServer.admissionControl"),
    "KubeAggregatorCAConfig": patterns("cluster.aggregatorCA"),
    "KubeAuditPolicyConfig": patterns("cluster.apiServer.auditPolicy"),
    "KubeAuthorizerConfig": patterns("cluster.apiServer.admissionControl"),
    "KubeClusterConfig": patterns("cluster.clusterName", "cluster.controlPlane.endpoint"),
    "KubeControllerManagerConfig": patterns("cluster.controllerManager", "machine.controlPlane.controllerManager"),
    "KubeCoreDNSConfig": patterns("cluster.coreDNS"),
    "KubeCredentialProviderConfig": patterns("machine.kubelet"),
    "KubeEtcdEncryptionConfig": patterns("cluster.secretboxEncryptionSecret", "cluster.aescbcEncryptionSecret"),
    "KubeFlannelCNIConfig": patterns("cluster.network"),
    "KubeNetworkConfig": patterns("cluster.network"),
    "KubeNodeConfig": patterns(
        "machine.nodeLabels",
        "machine.nodeAnnotations",
        "machine.nodeTaints",
        "machine.kubelet.nodeIP",
        "machine.kubelet.registerWithFQDN",
        "machine.kubelet.skipNodeRegistration",
        "cluster.allowSchedulingOnControlPlanes",
        "cluster.allowSchedulingOnMasters",
    ),
    "KubePrismConfig": patterns("machine.features.kubePrism"),
    "KubeProxyConfig": patterns("cluster.proxy"),
    "KubeSchedulerConfig": patterns("cluster.scheduler", "machine.controlPlane.scheduler"),
    "KubeServiceAccountConfig": patterns("cluster.serviceAccount"),
    "KubeSpanConfig": patterns("machine.network.kubespan"),
    "KubeTalosAPIAccessConfig": patterns("machine.features.kubernetesTalosAPIAccess"),
    "KubeletConfig": patterns("machine.kubelet"),
    "ResolverConfig": patterns(
        "machine.network.nameservers", "machine.network.searchDomains", "machine.network.disableSearchDomain"
    ),
    "TimeSyncConfig": patterns("machine.time.disabled", "machine.time.servers", "machine.time.bootTimeout"),
    "UnattendedInstallConfig": patterns("machine.install"),
}
"""What may not be in the root document beside a document of this kind."""

_PARTLY: tuple[tuple[str, str, str, Pattern], ...] = (
    ("ResolverConfig", "", "hostDNS", ("machine", "features", "hostDNS")),
    ("VolumeConfig", "STATE", "encryption", ("machine", "systemDiskEncryption", "state")),
    ("VolumeConfig", "EPHEMERAL", "encryption", ("machine", "systemDiskEncryption", "ephemeral")),
)
"""The same, for a document of this name (any where it is empty) only if it has this key."""

_SWITCHES = frozenset({"stableHostname", "disableSearchDomain", "disabled"})
"""Flags that say nothing while they are false."""

_BESIDE: Mapping[str, tuple[Pattern, str]] = {
    "CRICustomizationConfig": (("machine", "files"), "both are used"),
    "EnvironmentConfig": (("machine", "env"), "the document is used where both name a variable"),
    "KernelModuleConfig": (("machine", "kernel", "modules"), "the document is used where both name a module"),
    "KubeExternalManifestConfig": (("cluster", "extraManifests"), "both are used"),
    "KubeInlineManifestConfig": (("cluster", "inlineManifests"), "both are used"),
    "KubeStaticPodConfig": (("machine", "pods"), "both are used"),
    "RegistryAuthConfig": (("machine", "registries", "config"), "the document is used where both name a registry"),
    "RegistryMirrorConfig": (("machine", "registries", "mirrors"), "the document is used where both name a registry"),
    "RegistryTLSConfig": (("machine", "registries", "config"), "the document is used where both name a registry"),
    "StaticHostConfig": (("machine", "network", "extraHostEntries"), "both are used"),
    "SysctlConfig": (("machine", "sysctls"), "the document is used where both name a parameter"),
    "SysfsConfig": (("machine", "sysfs"), "the document is used where both name a parameter"),
    "UdevRulesConfig": (("machine", "udev"), "the rules in the root document are ignored"),
}
"""What may stand in both forms, with what Talos does then."""


@frozen
class Twins:
    """A setting in both forms: the path in the root document, the kind of the other document, and what comes of it.

    `meaning` is empty where Talos refuses them.
    """

    path: Path
    kind: str
    old: Value
    new: Mapping[str, Value]
    meaning: str = ""


def twins(documents: Sequence[Mapping[str, Value]]) -> Iterator[Twins]:
    """Every setting that stands in both forms, those that Talos refuses first."""
    root = next((document for document in documents if not identity_of(document).kind), {})
    others = [(identity_of(document), document) for document in documents if identity_of(document).kind]
    for identity, document in others:
        for path in _REFUSED.get(identity.kind, ()):
            yield from _both(root, path, identity.kind, document)
        for kind, name, key, path in _PARTLY:
            if kind == identity.kind and name in ("", identity.name) and key in document:
                yield from _both(root, path, kind, document)
    for identity, document in others:
        if identity.kind in _BESIDE:
            path, meaning = _BESIDE[identity.kind]
            yield from _both(root, path, identity.kind, document, meaning)


def refuse_twins(node: str, documents: Sequence[Mapping[str, Value]]) -> None:
    """Raises PatchError where a node would refuse the configuration: what is generated has one form only."""
    for found in twins(documents):
        if not found.meaning:
            raise PatchError(
                "a setting stands in its old and in its new form",
                detail=f"{node}: {dotted(found.path)} beside {found.kind}, and Talos takes one of them only",
                place=place_of(found.old) or place_of(found.new),
                remedy=f"write it as {found.kind}, or take that document away with $patch: delete",
            )


def _both(
    root: Mapping[str, Value], path: Pattern, kind: str, document: Mapping[str, Value], meaning: str = ""
) -> Iterator[Twins]:
    value: Value = root
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    if _counts(value, path[-1]):
        yield Twins(path, kind, value, document, meaning)


def _counts(value: Value, key: str) -> bool:
    """Whether a field is set, as Talos sees it: an empty mapping is, an empty text or list is not."""
    bare = strip_origins(value)
    return bare not in (None, "", ()) and not (bare is False and key in _SWITCHES)
