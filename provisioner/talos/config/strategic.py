"""How two configuration values become one.

The rules of Talos's strategic merge, for trees without a schema:

    scalar   the right one wins, unless it says nothing: empty text, zero, null. False says something, and
             so does zero where Talos knows it from nothing
    list     the right one is appended, except where a table below says otherwise
    mapping  key by key; keys only the left has stay in place, keys only the right has come last
    other    a list against a mapping, or either against a scalar, does not fit

Nothing is recognised by schema, so unknown documents and keys merge by the same rules. The tables name the
exceptions, by document kind (empty for the root document). They are those of the newest release for every
contract, so that a patch keeps its meaning when a cluster moves on. Source: siderolabs/talos v1.14, the
`merge` tags, `Merge` methods and pointer fields below `pkg/machinery/config/types`.
"""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.sdk import Call, Path, Ref, Secret, Unknown, Value, strip_origins
from provisioner.talos.config.path import Pattern, any_matches, matches, patterns

ROOT = ""
"""Stands for the kind of the root document, which has none."""

_REPLACED: Mapping[str, tuple[Pattern, ...]] = {
    ROOT: patterns(
        "cluster.network.podSubnets",
        "cluster.network.serviceSubnets",
        "cluster.apiServer.auditPolicy",
    ),
    "BGPInstanceConfig": patterns("advertise", "importRoutes", "neighbors"),
    "CRIBaseRuntimeSpecConfig": patterns("overrides"),
    "KubeAuditPolicyConfig": patterns("configuration"),
    "KubeAuthenticationConfig": patterns("configuration"),
    "KubeCredentialProviderConfig": patterns("configuration"),
    "KubeNetworkConfig": patterns("podSubnets", "serviceSubnets"),
    "KubeStaticPodConfig": patterns("pod"),
    "NetworkRuleConfig": patterns("ingress", "portSelector.ports"),
    "ImageVerificationConfig": patterns("rules.*"),
    "ResolverConfig": patterns("searchDomains.domains"),
}
"""Values taken whole from the right, unless that is null."""

_ARGUMENTS: Mapping[str, tuple[Pattern, ...]] = {
    ROOT: patterns("cluster.*.extraArgs.*", "machine.kubelet.extraArgs.*"),
    "KubeAPIServerConfig": patterns("extraArgs.*"),
    "KubeControllerManagerConfig": patterns("extraArgs.*"),
    "KubeProxyConfig": patterns("extraArgs.*"),
    "KubeSchedulerConfig": patterns("extraArgs.*"),
    "KubeletConfig": patterns("extraArgs.*"),
}
"""Arguments of commands: taken whole from the right, and there an empty text is a value."""

_ZERO_COUNTS: Mapping[str, tuple[Pattern, ...]] = {
    ROOT: patterns("machine.network.kubespan.mtu"),
    "BondConfig": patterns(
        "miimon",
        "updelay",
        "downdelay",
        "arpInterval",
        "adActorSysPrio",
        "adUserPortKey",
        "resendIGMP",
        "minLinks",
        "lpInterval",
        "packetsPerSlave",
        "numPeerNotif",
        "tlbLogicalLb",
        "allSlavesActive",
        "peerNotifDelay",
        "missedMax",
    ),
    "ContainerConfig": patterns("runAs.uid", "runAs.gid"),
    "EthernetConfig": patterns("rings.*", "channels.*"),
    "KubeAPIServerConfig": patterns("apiPort"),
    "KubeSpanConfig": patterns("mtu"),
    "LVMLogicalVolumeConfig": patterns("mirrors", "stripes"),
    "ZswapConfig": patterns("maxPoolPercent"),
}
"""Numbers of which zero is a value: those that Talos tells from absent ones."""

_KEYED: Mapping[str, tuple[tuple[Pattern, tuple[str, ...]], ...]] = {
    ROOT: (
        (("machine", "network", "interfaces"), ("interface", "deviceSelector")),
        (("machine", "network", "interfaces", "*", "vlans"), ("vlanId",)),
        (("cluster", "apiServer", "admissionControl"), ("name",)),
    ),
    "ExtensionServiceConfig": ((("configFiles",), ("mountPath",)),),
    "ImageVerificationConfig": ((("rules",), ("image",)),),
}
"""Lists whose elements have a name: the first key that the right element has decides."""


_WHOLE = (_REPLACED, _ARGUMENTS)


class Misfit(Exception):
    """Two values that cannot become one; `path` says where."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(reason)
        self.path = path
        self.reason = reason


def combine(left: Value, right: Value, *, kind: str, path: Path = ()) -> Value:
    """`left` with `right` merged into it, in a document of this kind; raises Misfit."""
    if strip_origins(right) is None:
        return left
    if strip_origins(left) is None or any(any_matches(table.get(kind, ()), path) for table in _WHOLE):
        return right
    if _says_nothing(right) and not (_is_zero(right) and any_matches(_ZERO_COUNTS.get(kind, ()), path)):
        return left
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return _mappings(left, right, kind, path)
    if isinstance(left, tuple) and isinstance(right, tuple):
        return _lists(left, right, kind, path)
    if _shape(left) != _shape(right) and not isinstance(right, Ref | Call | Unknown):
        raise Misfit(path, f"the patch has a {_shape(right)} where the configuration has a {_shape(left)}")
    return right


def _mappings(left: Mapping[str, Value], right: Mapping[str, Value], kind: str, path: Path) -> Value:
    merged = dict(left)
    for key, value in right.items():
        below = (*path, key)
        if key in merged:
            merged[key] = combine(merged[key], value, kind=kind, path=below)
        else:  # what is new may still name an element of its own list twice
            merged[key] = _lists((), value, kind, below) if isinstance(value, tuple) else value
    return merged


def _lists(left: tuple[Value, ...], right: tuple[Value, ...], kind: str, path: Path) -> Value:
    keys = next((keys for pattern, keys in _KEYED.get(kind, ()) if matches(pattern, path)), ())
    merged = list(left)
    for item in right:
        index = _position(merged, item, keys)
        if index is None:
            merged.append(item)
        else:
            merged[index] = combine(merged[index], item, kind=kind, path=(*path, index))
    return tuple(merged)


def _position(items: list[Value], wanted: Value, keys: tuple[str, ...]) -> int | None:
    """Where the element stands that `wanted` names, if it names one."""
    if not isinstance(wanted, Mapping):
        return None
    key = next((key for key in keys if key in wanted and not _says_nothing(wanted[key])), None)
    if key is None:
        return None
    name = strip_origins(wanted[key])
    for index, item in enumerate(items):
        if isinstance(item, Mapping) and key in item and strip_origins(item[key]) == name:
            return index
    return None


def _says_nothing(value: Value) -> bool:
    """Whether a patch value is one that leaves what is there alone."""
    bare = strip_origins(value)
    if isinstance(bare, Secret):
        return bare in (Secret(""), Secret(None))
    return bare is None or bare == "" or _is_zero(bare)


def _is_zero(value: Value) -> bool:
    bare = strip_origins(value)
    return isinstance(bare, int | float) and not isinstance(bare, bool) and bare == 0


def _shape(value: Value) -> str:
    if isinstance(value, Mapping):
        return "mapping"
    return "list" if isinstance(value, tuple) else "single value"
