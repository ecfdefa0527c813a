"""What `$patch: delete` takes away.

The directive stands at one of three levels:

    a document       beside `apiVersion`, `kind` and `name`: the whole document goes
    a field          alone in a mapping: the field that holds the mapping goes
    a list element   beside one `key: value`: the first element with that value goes

`split` parts a patch document into its deletions with the rest, which is merged afterwards; `remove` does
one deletion. Nothing inside a list element can be deleted. What is not there cannot be deleted, with one
exception: a field that Talos has a name for may be absent, for then it stands empty in Talos's eyes; a key
that the user chose, such as that of a label, may not. Source: siderolabs/talos v1.14,
`configloader/internal/decoder`.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from provisioner.sdk import Path, Secret, Value, strip_origins
from provisioner.talos.config.path import Pattern, any_matches, covers, patterns
from provisioner.talos.config.strategic import ROOT, Misfit

_DIRECTIVE = "$patch"
_IDENTITY = frozenset({"apiVersion", "kind", "name"})

_CHOSEN: Mapping[str, tuple[Pattern, ...]] = {
    ROOT: patterns(
        "machine.sysctls",
        "machine.sysfs",
        "machine.env",
        "machine.nodeLabels",
        "machine.nodeAnnotations",
        "machine.nodeTaints",
        "machine.registries.mirrors",
        "machine.registries.config",
        "machine.kubelet.extraArgs",
        "cluster.extraManifestHeaders",
        "cluster.*.env",
        "cluster.*.extraArgs",
    ),
    "EnvironmentConfig": patterns("variables"),
    "EthernetConfig": patterns("features"),
    "KubeAPIServerConfig": patterns("env", "extraArgs"),
    "KubeControllerManagerConfig": patterns("env", "extraArgs"),
    "KubeExternalManifestConfig": patterns("headers"),
    "KubeNodeConfig": patterns("labels", "annotations", "taints"),
    "KubeProxyConfig": patterns("extraArgs"),
    "KubeSchedulerConfig": patterns("env", "extraArgs"),
    "KubeletConfig": patterns("extraArgs"),
    "SysctlConfig": patterns("params"),
    "SysfsConfig": patterns("params"),
}
"""Mappings whose keys the user chose."""

_FREE: Mapping[str, tuple[Pattern, ...]] = {
    ROOT: patterns(
        "machine.kubelet.extraConfig",
        "machine.kubelet.credentialProviderConfig",
        "machine.baseRuntimeSpecOverrides",
        "cluster.apiServer.auditPolicy",
        "cluster.scheduler.config",
        "cluster.*.resources.requests",
        "cluster.*.resources.limits",
    ),
    "CRIBaseRuntimeSpecConfig": patterns("overrides"),
    "KubeAPIServerConfig": patterns("resources.requests", "resources.limits"),
    "KubeAdmissionControlConfig": patterns("configuration"),
    "KubeAuditPolicyConfig": patterns("configuration"),
    "KubeAuthenticationConfig": patterns("configuration"),
    "KubeAuthorizerConfig": patterns("webhook"),
    "KubeControllerManagerConfig": patterns("resources.requests", "resources.limits"),
    "KubeCredentialProviderConfig": patterns("configuration"),
    "KubeEtcdEncryptionConfig": patterns("config"),
    "KubeFlannelCNIConfig": patterns("backendExtraConfig"),
    "KubeProxyConfig": patterns("config"),
    "KubeSchedulerConfig": patterns("config", "resources.requests", "resources.limits"),
    "KubeStaticPodConfig": patterns("pod"),
    "KubeletConfig": patterns("config"),
}
"""Trees of somebody else, such as Kubernetes, below which Talos has no names."""


@frozen
class Deletion:
    """The place to delete; with a selector, the element of the list there whose `key` has the value."""

    path: Path
    selector: tuple[str, str] | None = None


def split(document: Mapping[str, Value]) -> tuple[tuple[Deletion, ...], Mapping[str, Value] | None]:
    """The deletions of a patch document, and what is left to merge: None when that is nothing.

    A deletion with an empty path is that of the whole document. Raises Misfit for a directive that is
    unknown or misplaced.
    """
    if _is_deletion(document, ()):
        if not document.keys() - {_DIRECTIVE} <= _IDENTITY:
            raise Misfit((), "$patch: delete of a document stands beside apiVersion, kind and name only")
        return (Deletion(()),), None
    deletions: list[Deletion] = []
    rest = _without(document, (), deletions)
    if deletions and not rest.keys() - _IDENTITY:
        return tuple(deletions), None
    return tuple(deletions), rest


def remove(document: Mapping[str, Value], deletion: Deletion, *, kind: str) -> Mapping[str, Value]:
    """The document of this kind without what the deletion names; raises Misfit when that is not there."""
    if _may_be_absent(deletion, kind):
        *above, last = deletion.path
        parent = _at(document, tuple(above))
        if isinstance(parent, Mapping) and last not in parent:
            return document
    rest = _removed(document, deletion, 0)
    assert isinstance(rest, Mapping)
    return rest


def _may_be_absent(deletion: Deletion, kind: str) -> bool:
    """Whether the last key of the path is a name of Talos's."""
    parent = deletion.path[:-1]
    chosen = any_matches(_CHOSEN.get(kind, ()), parent)
    return deletion.selector is None and not chosen and not any(covers(free, parent) for free in _FREE.get(kind, ()))


def _at(value: Value, path: Path) -> Value:
    for key in path:
        value = value.get(str(key)) if isinstance(value, Mapping) else None
    return value


def _without(mapping: Mapping[str, Value], path: Path, found: list[Deletion]) -> dict[str, Value]:
    """The mapping without its directives, which are added to `found`; branches they leave empty go too."""
    rest: dict[str, Value] = {}
    for key, value in mapping.items():
        below = (*path, key)
        if isinstance(value, Mapping):
            if _is_deletion(value, below):
                found.append(_field(value, below))
                continue
            kept: Value = _without(value, below, found)
        elif isinstance(value, tuple):
            kept = _without_elements(value, below, found)
        else:
            kept = value
        if value and not kept and isinstance(value, Mapping | tuple):
            continue
        rest[key] = kept
    return rest


def _without_elements(items: tuple[Value, ...], path: Path, found: list[Deletion]) -> tuple[Value, ...]:
    rest: list[Value] = []
    for index, item in enumerate(items):
        below = (*path, index)
        if isinstance(item, Mapping) and _is_deletion(item, below):
            found.append(_element(item, path))
            continue
        inside: list[Deletion] = []
        if isinstance(item, Mapping):
            _without(item, below, inside)
        elif isinstance(item, tuple):
            _without_elements(item, below, inside)
        if inside:
            raise Misfit(inside[0].path, "nothing inside a list element can be deleted; delete the element")
        rest.append(item)
    return tuple(rest)


def _is_deletion(mapping: Mapping[str, Value], path: Path) -> bool:
    if _DIRECTIVE not in mapping:
        return False
    if strip_origins(mapping[_DIRECTIVE]) != "delete":
        raise Misfit((*path, _DIRECTIVE), "the only directive is `$patch: delete`")
    return True


def _field(mapping: Mapping[str, Value], path: Path) -> Deletion:
    if len(mapping) > 1:
        raise Misfit(path, "$patch: delete of a field has no other keys beside it")
    return Deletion(path)


def _element(mapping: Mapping[str, Value], path: Path) -> Deletion:
    selectors = [(key, strip_origins(value)) for key, value in mapping.items() if key != _DIRECTIVE]
    if not selectors:
        raise Misfit(path, "$patch: delete of a list element needs one `key: value` to find it by")
    key, value = selectors[0]
    if not isinstance(value, str | int | float):
        raise Misfit((*path, key), "a list element is found by a plain text or number")
    return Deletion(path, (key, str(value)))


def _removed(value: Value, deletion: Deletion, depth: int) -> Value:
    """`value`, which stands at the first `depth` keys of the path, without what is to go."""
    path, key = deletion.path[: depth + 1], deletion.path[depth]
    if not isinstance(value, Mapping) or key not in value:
        raise Misfit(path, "there is nothing to delete at this path")
    assert isinstance(key, str)
    if depth + 1 < len(deletion.path):
        return {**value, key: _removed(value[key], deletion, depth + 1)}
    if deletion.selector is None:
        return {name: item for name, item in value.items() if name != key}
    return {**value, key: _without_element(value[key], deletion.selector, path)}


def _without_element(items: Value, selector: tuple[str, str], path: Path) -> Value:
    key, wanted = selector
    if not isinstance(items, tuple):
        raise Misfit(path, "there is no list to delete an element of")
    for index, item in enumerate(items):
        if isinstance(item, Mapping) and key in item and _same(item[key], wanted):
            return (*items[:index], *items[index + 1 :])
    raise Misfit(path, f"no element of the list has the given `{key}`")


def _same(value: Value, wanted: str) -> bool:
    bare = strip_origins(value)
    return not isinstance(bare, Secret | Mapping | tuple) and str(bare) == wanted
