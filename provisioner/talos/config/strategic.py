"""How two configuration values become one.

The rules of Talos's strategic merge, for trees without a schema:

    scalar   the right one wins, unless it says nothing: empty text, zero, null. False says something
    list     the right one is appended, except where a table below says otherwise
    mapping  key by key; keys only the left has stay in place, keys only the right has come last
    other    a list against a mapping, or either against a scalar, does not fit

Nothing is recognised by schema, so unknown documents and keys merge by the same rules. The tables name the
exceptions, by document kind (empty for the root document). Source: siderolabs/talos v1.14, the `merge` tags
and `Merge` methods below `pkg/machinery/config/types`.
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
        "cluster.*.extraArgs.*",
        "machine.kubelet.extraArgs.*",
    ),
    "BGPInstanceConfig": patterns("advertise", "importRoutes", "neighbors"),
    "CRIBaseRuntimeSpecConfig": patterns("overrides"),
    "KubeAPIServerConfig": patterns("extraArgs.*"),
    "KubeAuditPolicyConfig": patterns("configuration"),
    "KubeAuthenticationConfig": patterns("configuration"),
    "KubeControllerManagerConfig": patterns("extraArgs.*"),
    "KubeCredentialProviderConfig": patterns("configuration"),
    "KubeNetworkConfig": patterns("podSubnets", "serviceSubnets"),
    "KubeProxyConfig": patterns("extraArgs.*"),
    "KubeSchedulerConfig": patterns("extraArgs.*"),
    "KubeStaticPodConfig": patterns("pod"),
    "KubeletConfig": patterns("extraArgs.*"),
    "NetworkRuleConfig": patterns("ingress", "portSelector.ports"),
    "ImageVerificationConfig": patterns("rules.*"),
}
"""Values taken whole from the right."""

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


class Misfit(Exception):
    """Two values that cannot become one; `path` says where."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(reason)
        self.path = path
        self.reason = reason


def combine(left: Value, right: Value, *, kind: str, path: Path = ()) -> Value:
    """`left` with `right` merged into it, in a document of this kind; raises Misfit."""
    if _says_nothing(right):
        return left
    if strip_origins(left) is None or any_matches(_REPLACED.get(kind, ()), path):
        return right
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
        known = key in merged
        merged[key] = combine(merged[key], value, kind=kind, path=(*path, key)) if known else value
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
    return bare is None or bare == "" or (bare == 0 and not isinstance(bare, bool))


def _shape(value: Value) -> str:
    if isinstance(value, Mapping):
        return "mapping"
    return "list" if isinstance(value, tuple) else "single value"
