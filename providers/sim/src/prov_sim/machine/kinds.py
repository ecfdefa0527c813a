"""Which kinds of documents a Talos release decodes, and the keys at their top.

Decoding is strict: a kind or a key that a release does not know is refused. Source: siderolabs/talos v1.11.6,
v1.12.7, v1.13.9 and v1.14.1, `config/schemas` and the registered kinds below `config/types`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Final

from prov_sim.machine.words import words

_LINK: Final = "up mtu addresses routes multicast"
_TABLE: Final = """
since 11
EthernetConfig: name features rings channels wakeOnLan@12
EventSinkConfig: endpoint
ExistingVolumeConfig: name discovery mount trim@14 scrub@14
ExtensionServiceConfig: name configFiles environment
KmsgLogConfig: name url
KubeSpanEndpointsConfig: extraAnnouncedEndpoints
NetworkDefaultActionConfig: ingress
NetworkRuleConfig: name portSelector ingress
PCIDriverRebindConfig: name targetDriver
RawVolumeConfig: name provisioning encryption
SideroLinkConfig: apiUrl uniqueToken
SwapVolumeConfig: name provisioning encryption
TrustedRootsConfig: name certificates
UserVolumeConfig: name provisioning filesystem encryption volumeType@12 mount@13 trim@14 scrub@14
VolumeConfig: name provisioning encryption mount@13 filesystem@14 trim@14 scrub@14
WatchdogTimerConfig: device timeout
ZswapConfig: maxPoolPercent shrinkerEnabled
since 12
BondConfig: name hardwareAddr links bondMode miimon updelay downdelay useCarrier xmitHashPolicy arpInterval
    arpIpTargets nsIp6Targets arpValidate arpAllTargets lacpRate failOverMac adSelect adActorSysPrio adUserPortKey
    adLACPActive primaryReselect resendIGMP minLinks lpInterval packetsPerSlave numPeerNotif tlbLogicalLb
    allSlavesActive peerNotifDelay missedMax +link
BridgeConfig: name hardwareAddr links stp vlan +link
DHCPv4Config: name routeMetric ignoreHostname clientIdentifier duidRaw ignoreRoutes@14
DHCPv6Config: name routeMetric ignoreHostname clientIdentifier duidRaw
DummyLinkConfig: name hardwareAddr +link
HCloudVIPConfig: name link apiToken
HostnameConfig: auto hostname
Layer2VIPConfig: name link
LinkAliasConfig: name selector
LinkConfig: name +link
OOMConfig: triggerExpression cgroupRankingExpression sampleInterval strictCgroupClassOrdering@13
RegistryAuthConfig: name username password auth identityToken
RegistryMirrorConfig: name endpoints skipFallback
RegistryTLSConfig: name clientIdentity ca insecureSkipVerify
ResolverConfig: nameservers searchDomains hostDNS@14
StaticHostConfig: name hostnames
TimeSyncConfig: enabled bootTimeout ntp ptp
VLANConfig: name vlanID vlanMode parent +link
WireguardConfig: name privateKey listenPort firewallMark peers +link
since 13
BlackholeRouteConfig: name metric
EnvironmentConfig: variables
ExternalVolumeConfig: name filesystemType mount
ImageVerificationConfig: rules
KubeSpanConfig: enabled advertiseKubernetesNetworks allowDownPeerBypass harvestExtraEndpoints mtu filters
RoutingRuleConfig: name src dst table action iifName oifName fwMark fwMask
TCPProbeConfig: name interval failureThreshold endpoint timeout
VRFConfig: name hardwareAddr links table +link
since 14
BGPInstanceConfig: name vrf localASN routerID routeSource advertise multipath maxPaths installRoutes
    importRoutes neighbors
CRIBaseRuntimeSpecConfig: overrides
CRICustomizationConfig: name content
ContainerConfig: name image entrypoint args workingDir runAs environment mounts security network resources
    dependsOn
DiscoveryIdentityConfig: clusterID clusterSecret
DiscoveryServiceConfig: name endpoint
EtcFileConfig: name mode contents
FilesystemScrubConfig: interval
FilesystemTrimConfig: interval
HTTPProbeConfig: name interval failureThreshold url timeout
ImageCacheConfig: local
KernelModuleConfig: name parameters
KubeAPIServerCAConfig: issuingCA acceptedCAs
KubeAPIServerConfig: image extraArgs env resources apiPort certExtraSANs startupProbes
KubeAdmissionControlConfig: name configuration
KubeAggregatorCAConfig: issuingCA acceptedCAs
KubeAuditPolicyConfig: configuration
KubeAuthenticationConfig: configuration
KubeAuthorizerConfig: name type webhook
KubeClusterConfig: clusterName endpoint
KubeControllerManagerConfig: enabled image extraArgs env resources
KubeCoreDNSConfig: enabled image
KubeCredentialProviderConfig: configuration
KubeEtcdEncryptionConfig: config
KubeExternalManifestConfig: name headers url
KubeFlannelCNIConfig: backendType backendPort backendMTU backendExtraConfig resources extraArgs
    kubeNetworkPoliciesEnabled
KubeInlineManifestConfig: name manifest
KubeNetworkConfig: dnsDomain podSubnets serviceSubnets nodeCIDRMaskSizeIPv4 nodeCIDRMaskSizeIPv6
KubeNodeConfig: skipNodeRegistration registerWithFQDN nodeIP labels annotations taints
KubePrismConfig: port tlsServerName
KubeProxyConfig: enabled image mode config extraArgs resources
KubeSchedulerConfig: enabled image config extraArgs env resources
KubeServiceAccountConfig: issuer accepted
KubeStaticPodConfig: name pod
KubeTalosAPIAccessConfig: allowedRoles allowedKubernetesNamespaces
KubeletConfig: image config extraArgs clusterDNS defaultRuntimeSeccompProfileEnabled
LVMLogicalVolumeConfig: name type mirrors stripes provisioning
LVMVolumeGroupConfig: name provisioning
RAIDArrayConfig: name level metadata provisioning
SecurityProfileConfig: workloadIsolation
SysctlConfig: params
SysfsConfig: params
UdevRulesConfig: rules
UnattendedInstallConfig: reboot installer provisioning
VethConfig: name peer +link
"""
"""A kind and its keys, by the minor release that brought it; `key@14` came later, `+link` are those of links."""

CONTROL_PLANES_ONLY: Final = words("""
    KubeCoreDNSConfig KubeAuditPolicyConfig KubeAggregatorCAConfig KubeEtcdEncryptionConfig KubeFlannelCNIConfig
    KubeControllerManagerConfig KubeAdmissionControlConfig KubeServiceAccountConfig KubeAuthenticationConfig
    KubeAuthorizerConfig KubeAPIServerConfig KubeTalosAPIAccessConfig KubeProxyConfig KubeSchedulerConfig
    """)
"""Kinds that a worker refuses."""


@functools.cache
def kinds_of(minor: int) -> Mapping[str, frozenset[str]]:
    """The kinds that Talos 1.`minor` knows, each with its keys."""
    known: dict[str, frozenset[str]] = {}
    since, kind = 0, ""
    for line in _TABLE.splitlines():
        head, colon, rest = line.partition(":")
        if line.startswith("since "):
            since = int(line.removeprefix("since "))
        elif line:
            kind, keys = (head, rest) if colon else (kind, line)
            if since <= minor:
                known[kind] = known.get(kind, words("apiVersion kind")) | _keys(keys, minor)
    return known


def _keys(text: str, minor: int) -> frozenset[str]:
    found = (word.partition("@") for word in text.replace("+link", _LINK).split())
    return frozenset(key for key, _, since in found if int(since or 0) <= minor)
