"""What Talos demands of a configuration before it takes it."""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from prov_sim.machine.certificates import BadCertificate, decode_pem, load_authority, load_certificate
from prov_sim.machine.conflicts import conflicts
from prov_sim.machine.documents import BadConfig, MachineConfig, Tree, decode
from prov_sim.machine.kinds import CONTROL_PLANES_ONLY, kinds_of
from prov_sim.machine.release import Release
from prov_sim.machine.words import words

_ROOT: Final = words("version debug persist machine cluster")
_MACHINE: Final = words("""
    type token ca acceptedCAs certSANs controlPlane kubelet pods network disks install files env time sysctls
    sysfs registries systemDiskEncryption features udev logging kernel seccompProfiles baseRuntimeSpecOverrides
    nodeLabels nodeAnnotations nodeTaints
    """)
_CLUSTER: Final = words("""
    id secret controlPlane clusterName network token aescbcEncryptionSecret secretboxEncryptionSecret ca
    acceptedCAs aggregatorCA serviceAccount apiServer controllerManager scheduler proxy discovery etcd coreDNS
    externalCloudProvider extraManifests extraManifestHeaders inlineManifests adminKubeconfig
    allowSchedulingOnControlPlanes allowSchedulingOnMasters
    """)
_FEATURES: Final = words("""
    rbac stableHostname kubernetesTalosAPIAccess apidCheckExtKeyUsage diskQuotaSupport kubePrism hostDNS
    imageCache nodeAddressSortAlgorithm
    """)

_TOKEN: Final = re.compile(r"^[a-z0-9]{6}\.[a-z0-9]{16}$")
_LABEL: Final = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", re.IGNORECASE)
_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")

Complaints = Iterator[str]


def accept(data: bytes, *, mode: str, installed: bool, release: Release) -> MachineConfig:
    """A configuration fit for a machine in runtime mode `cloud` or `metal`; raises BadConfig with all complaints."""
    config = decode(data)
    complaints = list(_documents(config, release))
    if config.root is not None:
        complaints += _unknown(config.root, _ROOT, "")
        for rule in _RULES:
            complaints += _complaints(rule, config)
        for demand in _RELEASE_RULES:
            complaints += _complaints(functools.partial(demand, release=release), config, demand.__name__)
        if mode == "metal" and not installed:
            complaints += _complaints(_install if release.needs_install_section else _old_install, config)
    if complaints:
        raise BadConfig(complaints)
    return config


def _complaints(rule: Callable[[MachineConfig], Complaints], config: MachineConfig, name: str = "") -> list[str]:
    try:
        return list(rule(config))
    except (AttributeError, TypeError):
        # Talos decodes into types first; here a text where a mapping belongs shows up in the rule about it.
        return [f"a field has the wrong type ({(name or rule.__name__).strip('_').replace('_', ' ')})"]


def _documents(config: MachineConfig, release: Release) -> Complaints:
    seen, kinds = set(), kinds_of(release.minor)
    for document in config.documents:
        kind = document["kind"]
        identity = (kind, str(document.get("name", "")))
        if document.get("apiVersion") != "v1alpha1":
            yield f"{kind}: apiVersion must be v1alpha1"
        elif kind not in kinds:
            yield f"{kind!r} v1alpha1: not registered"
        else:
            yield from _unknown(document, kinds[kind], f"{kind}.")
        if identity in seen:
            yield f"{' '.join(identity).strip()} stands twice"
        seen.add(identity)
        if kind == "HostnameConfig" and kind in kinds:
            yield from _hostname_config(document)
    if config.root is not None and config.root.get("version") != "v1alpha1":
        yield "version must be v1alpha1"


def _hostname_config(document: Tree) -> Complaints:
    auto, hostname = document.get("auto"), document.get("hostname")
    if auto is None and not hostname:
        yield "HostnameConfig: either auto or hostname must be set"
    if auto not in (None, "stable", "off"):
        yield "HostnameConfig: auto must be stable or off"
    if hostname and auto == "stable":
        yield "HostnameConfig: hostname cannot be set together with auto: stable"
    if hostname and not _is_hostname(hostname):
        yield "HostnameConfig: hostname is not a host name"


def _is_hostname(name: object) -> bool:
    return isinstance(name, str) and len(name) <= 253 and all(_LABEL.match(part) for part in name.split("."))


def _sections(config: MachineConfig) -> Complaints:
    for name, known in (("machine", _MACHINE), ("cluster", _CLUSTER)):
        section = config.get(name)
        if not isinstance(section, Mapping):
            yield f"{name} instructions are required"
        else:
            yield from _unknown(section, known, f"{name}.")
    yield from _unknown(config.get("machine", "features") or {}, _FEATURES, "machine.features.")
    if config.get("persist") is False:
        yield "persist: false is not supported"


def _type(config: MachineConfig) -> Complaints:
    if config.type not in ("controlplane", "worker", "init"):
        yield "machine.type must be controlplane or worker"


def _tokens(config: MachineConfig) -> Complaints:
    for section in ("machine", "cluster"):
        if not _TOKEN.match(str(config.get(section, "token") or "")):
            yield f"{section}.token must have the form xxxxxx.yyyyyyyyyyyyyyyy"


def _os_ca(config: MachineConfig) -> Complaints:
    ca, accepted = config.get("machine", "ca") or {}, config.get("machine", "acceptedCAs") or []
    if config.is_control_plane:
        yield from _authority(ca, "machine.ca", key_needed=True)
    elif ca.get("key"):
        yield "machine.ca.key must not be set on a worker"
    elif ca.get("crt"):
        yield from _authority(ca, "machine.ca", key_needed=False)
    elif not accepted:
        yield "machine.ca or machine.acceptedCAs is required"
    for index, item in enumerate(accepted):
        yield from _certificate(item, f"machine.acceptedCAs[{index}]")


def _cluster_ca(config: MachineConfig) -> Complaints:
    ca = config.kubernetes_ca
    if config.is_control_plane:
        yield from _authority(ca, "cluster.ca", key_needed=True)
    elif ca.get("key"):
        yield "cluster.ca.key must not be set on a worker"
    elif ca.get("crt"):
        yield from _authority(ca, "cluster.ca", key_needed=False)


def _etcd(config: MachineConfig) -> Complaints:
    etcd = config.get("cluster", "etcd")
    if config.is_control_plane and etcd is not None and "ca" in etcd:
        yield from _authority(etcd.get("ca") or {}, "cluster.etcd.ca", key_needed=True)
    elif config.is_control_plane and etcd is not None:
        yield "cluster.etcd.ca is required"
    elif etcd is not None:
        yield "cluster.etcd is for control planes only"


def _encryption(config: MachineConfig) -> Complaints:
    cluster, document = config.cluster, config.document("KubeEtcdEncryptionConfig")
    secret = cluster.get("secretboxEncryptionSecret") or cluster.get("aescbcEncryptionSecret")
    if config.is_control_plane and not (secret or document):
        yield "cluster.secretboxEncryptionSecret or cluster.aescbcEncryptionSecret is required"


def _endpoint(config: MachineConfig) -> Complaints:
    if not config.endpoint:
        yield "cluster.controlPlane.endpoint is required"
        return
    try:
        parts = urlsplit(str(config.endpoint))
        sound = bool(parts.scheme and parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound:
        yield "cluster.controlPlane.endpoint must be a URL with scheme and host"


def _discovery(config: MachineConfig) -> Complaints:
    if not config.discovers:
        return
    name, text = config.identity
    if not name:
        yield "cluster.id must be set when discovery is enabled"
    try:
        secret = base64.b64decode(str(text or ""), validate=True)
    except binascii.Error:
        secret = b""
    if len(secret) != 32:
        yield "cluster.secret must be base64 of 32 bytes"


def _network(config: MachineConfig) -> Complaints:
    cni = config.get("cluster", "network", "cni") or {}
    if cni.get("name", "flannel") not in ("flannel", "custom", "none"):
        yield "cluster.network.cni.name must be flannel, custom or none"
    if (cni.get("name") == "custom") != bool(cni.get("urls")):
        yield "cluster.network.cni.urls go with cni.name: custom, and only with it"


def _roles(config: MachineConfig) -> Complaints:
    kinds = sorted({item["kind"] for item in config.documents} & CONTROL_PLANES_ONLY)
    if kinds and not config.is_control_plane:
        yield f"the following document kinds are only allowed on control plane machines: {', '.join(kinds)}"


def _images(config: MachineConfig, release: Release) -> Complaints:
    for name, image in _named_images(config).items():
        match = re.search(r":v1\.(\d+)\.\d+(-[\w.]+)?(@.*)?$", str(image))
        if match is None:
            yield f"{name}.image must have a tag such as {release.default_kubernetes}"
        elif int(match[1]) not in release.kubernetes_minors:
            yield f"{name}.image: version v1.{match[1]} of Kubernetes is not supported by Talos {release}"


def _named_images(config: MachineConfig) -> dict[str, Any]:
    places = [("machine", "kubelet")]
    if config.is_control_plane:
        places += [("cluster", name) for name in ("apiServer", "controllerManager", "scheduler", "proxy")]
    found = {f"{section}.{name}": config.get(section, name, "image") for section, name in places}
    kinds = ("KubeletConfig", "KubeAPIServerConfig", "KubeControllerManagerConfig", "KubeSchedulerConfig")
    found |= {kind: config.document(kind).get("image") for kind in (*kinds, "KubeProxyConfig")}
    return {name: image for name, image in found.items() if image is not None}


def _taints(config: MachineConfig) -> Complaints:
    for name, taint in (config.get("machine", "nodeTaints") or {}).items():
        if str(taint).rpartition(":")[2] not in _EFFECTS:
            yield f"machine.nodeTaints: effect of {name} must be one of {', '.join(_EFFECTS)}"


def _manifests(config: MachineConfig) -> Complaints:
    names = [item.get("name") for item in config.cluster.get("inlineManifests") or []]
    if not all(names) or len(set(names)) < len(names):
        yield "cluster.inlineManifests must have names, each its own"


def _api_access(config: MachineConfig) -> Complaints:
    if config.get("machine", "features", "kubernetesTalosAPIAccess", "enabled") and not config.is_control_plane:
        yield "machine.features.kubernetesTalosAPIAccess is for control planes only"


def _install(config: MachineConfig) -> Complaints:
    if not config.get("machine", "install"):
        yield "machine.install is required on platform metal"
    yield from _old_install(config)


def _old_install(config: MachineConfig) -> Complaints:
    """What holds of `machine.install` where it is set at all."""
    install = config.get("machine", "install")
    if install and not (install.get("disk") or install.get("diskSelector")):
        yield "machine.install.disk or machine.install.diskSelector is required"
    elif install and install.get("extraKernelArgs") and install.get("grubUseUKICmdline"):
        yield "machine.install.extraKernelArgs cannot be used with grubUseUKICmdline"


def _unattended_install(config: MachineConfig) -> Complaints:
    document = config.document("UnattendedInstallConfig")
    if document and not ((document.get("provisioning") or {}).get("diskSelector") or {}).get("match"):
        yield "UnattendedInstallConfig: provisioning.diskSelector.match is required"


_RULES: Final[tuple[Callable[[MachineConfig], Complaints], ...]] = (
    _sections,
    _type,
    _tokens,
    _os_ca,
    _cluster_ca,
    _etcd,
    _encryption,
    _endpoint,
    _discovery,
    _network,
    _roles,
    _taints,
    _manifests,
    _api_access,
    _unattended_install,
    conflicts,
)

_RELEASE_RULES: Final = (_images,)


def _unknown(section: Any, known: frozenset[str], prefix: str) -> Complaints:
    for name in section:
        if name not in known:
            yield f"unknown key {prefix}{name}"


def _authority(ca: Tree, name: str, *, key_needed: bool) -> Complaints:
    if not ca.get("crt") or (key_needed and not ca.get("key")):
        yield f"{name} with {'certificate and key' if key_needed else 'a certificate'} is required"
        return
    try:
        load_authority(ca["crt"], ca.get("key"))
    except BadCertificate as err:
        yield f"{name} {err}"


def _certificate(item: Any, name: str) -> Complaints:
    try:
        load_certificate(decode_pem(item.get("crt") if isinstance(item, Mapping) else ""))
    except BadCertificate as err:
        yield f"{name} {err}"
