"""Which kinds of documents a Talos release knows.

A node refuses a configuration with a document of a kind that its release does not know. No kind has gone again so
far. Source: siderolabs/talos v1.11 to v1.14, the registered document types below `pkg/machinery/config/types`; the
judge asks each release.
"""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.talos.versions import Contract

_NEW: Mapping[Contract, tuple[str, ...]] = {
    Contract(1, 11): (
        "EthernetConfig",
        "EventSinkConfig",
        "ExistingVolumeConfig",
        "ExtensionServiceConfig",
        "KmsgLogConfig",
        "KubeSpanEndpointsConfig",
        "NetworkDefaultActionConfig",
        "NetworkRuleConfig",
        "PCIDriverRebindConfig",
        "RawVolumeConfig",
        "SideroLinkConfig",
        "SwapVolumeConfig",
        "TrustedRootsConfig",
        "UserVolumeConfig",
        "VolumeConfig",
        "WatchdogTimerConfig",
        "ZswapConfig",
    ),
    Contract(1, 12): (
        "BondConfig",
        "BridgeConfig",
        "DHCPv4Config",
        "DHCPv6Config",
        "DummyLinkConfig",
        "HCloudVIPConfig",
        "HostnameConfig",
        "Layer2VIPConfig",
        "LinkAliasConfig",
        "LinkConfig",
        "OOMConfig",
        "RegistryAuthConfig",
        "RegistryMirrorConfig",
        "RegistryTLSConfig",
        "ResolverConfig",
        "StaticHostConfig",
        "TimeSyncConfig",
        "VLANConfig",
        "WireguardConfig",
    ),
    Contract(1, 13): (
        "BlackholeRouteConfig",
        "EnvironmentConfig",
        "ExternalVolumeConfig",
        "ImageVerificationConfig",
        "KubeSpanConfig",
        "RoutingRuleConfig",
        "TCPProbeConfig",
        "VRFConfig",
    ),
    Contract(1, 14): (
        "BGPInstanceConfig",
        "CRIBaseRuntimeSpecConfig",
        "CRICustomizationConfig",
        "ContainerConfig",
        "DiscoveryIdentityConfig",
        "DiscoveryServiceConfig",
        "EtcFileConfig",
        "FilesystemScrubConfig",
        "FilesystemTrimConfig",
        "HTTPProbeConfig",
        "ImageCacheConfig",
        "KernelModuleConfig",
        "KubeAPIServerCAConfig",
        "KubeAPIServerConfig",
        "KubeAdmissionControlConfig",
        "KubeAggregatorCAConfig",
        "KubeAuditPolicyConfig",
        "KubeAuthenticationConfig",
        "KubeAuthorizerConfig",
        "KubeClusterConfig",
        "KubeControllerManagerConfig",
        "KubeCoreDNSConfig",
        "KubeCredentialProviderConfig",
        "KubeEtcdEncryptionConfig",
        "KubeExternalManifestConfig",
        "KubeFlannelCNIConfig",
        "KubeInlineManifestConfig",
        "KubeNetworkConfig",
        "KubeNodeConfig",
        "KubePrismConfig",
        "KubeProxyConfig",
        "KubeSchedulerConfig",
        "KubeServiceAccountConfig",
        "KubeStaticPodConfig",
        "KubeTalosAPIAccessConfig",
        "KubeletConfig",
        "LVMLogicalVolumeConfig",
        "LVMVolumeGroupConfig",
        "RAIDArrayConfig",
        "SecurityProfileConfig",
        "SysctlConfig",
        "SysfsConfig",
        "UdevRulesConfig",
        "UnattendedInstallConfig",
        "VethConfig",
    ),
}
"""By the first release that knows them; the oldest row has those that are older still."""

_CONTROL_PLANE = frozenset(
    {
        "KubeAPIServerConfig",
        "KubeAdmissionControlConfig",
        "KubeAggregatorCAConfig",
        "KubeAuditPolicyConfig",
        "KubeAuthenticationConfig",
        "KubeAuthorizerConfig",
        "KubeControllerManagerConfig",
        "KubeCoreDNSConfig",
        "KubeEtcdEncryptionConfig",
        "KubeFlannelCNIConfig",
        "KubeProxyConfig",
        "KubeSchedulerConfig",
        "KubeServiceAccountConfig",
        "KubeTalosAPIAccessConfig",
    }
)


def all_kinds() -> tuple[str, ...]:
    """Every kind that some release knows."""
    return tuple(kind for kinds in _NEW.values() for kind in kinds)


def known_since(kind: str) -> Contract | None:
    """The first release that knows the kind, as far as they are listed here; None for one that none knows."""
    return next((contract for contract, kinds in _NEW.items() if kind in kinds), None)


def is_for_control_planes(kind: str) -> bool:
    """Whether a worker refuses a configuration with such a document."""
    return kind in _CONTROL_PLANE
