"""Which changes of a configuration take effect with a reboot only.

Up to Talos 1.13 the node compares the root document it has with the one it gets, and reboots by itself for
fields outside the first table. From 1.14 it never does, and says nothing: who applies has to know, and to ask
for the reboot. So one answer holds for all releases: what is true of a field is true of the document that has
its place, and where the node stays up though it has to reboot, it is told to.

Source: siderolabs/talos v1.13, `ApplyConfiguration` and `runtime.CanApplyImmediate`; v1.14.1, the descriptions
of fields below `pkg/machinery/config/types`, and `ApplyConfiguration`, which compares nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from provisioner.sdk import ABSENT, FieldChange, Path
from provisioner.talos.config.named import ROOT, kind_of
from provisioner.talos.config.path import Pattern, any_covers, dotted, patterns

_IMMEDIATE = patterns(
    "debug",
    "cluster.*",
    *(
        f"machine.{name}"
        for name in (
            "ca",
            "acceptedCAs",
            "time",
            "certSANs",
            "install",
            "network",
            "sysfs",
            "sysctls",
            "logging",
            "controlPlane",
            "kubelet",
            "kernel",
            "registries",
            "pods",
            "seccompProfiles",
            "nodeLabels",
            "nodeAnnotations",
            "nodeTaints",
        )
    ),
    *(
        f"machine.features.{name}"
        for name in ("kubernetesTalosAPIAccess", "kubePrism", "hostDNS", "imageCache", "nodeAddressSortAlgorithm")
    ),
)
"""Fields of the root document that a node takes over at once."""

_AT_BOOT = patterns(
    "cluster.etcd.image",
    "cluster.etcd.extraArgs",
    "cluster.etcd.advertisedSubnets",
    "cluster.etcd.listenSubnets",
    "cluster.etcd.subnet",
    "machine.kernel.modules.*",
)
"""Those among them that what runs already does not notice: etcd is started once, and so is a kernel module."""

_DOCUMENTS: Mapping[str, tuple[Pattern, ...]] = {
    "EnvironmentConfig": patterns("variables"),
    "KernelModuleConfig": patterns("parameters"),
    "RawVolumeConfig": patterns("encryption"),
    "SecurityProfileConfig": patterns("workloadIsolation"),
    "SwapVolumeConfig": patterns("encryption"),
    "UserVolumeConfig": patterns("encryption"),
    "VolumeConfig": patterns("encryption"),
}
"""Fields of other documents that wait for a boot, by kind, where the document is there before and after."""

_WHOLE: Mapping[str, tuple[bool, bool]] = {
    "EnvironmentConfig": (True, True),
    "KernelModuleConfig": (False, True),
    "SecurityProfileConfig": (True, True),
}
"""Whether a document waits for a boot when it comes, and when it goes."""


def needs_reboot(changes: Iterable[FieldChange]) -> bool:
    """Whether a node reboots for these changes, by itself or told to; see `reboot_fields`."""
    return bool(reboot_fields(changes))


def reboot_fields(changes: Iterable[FieldChange]) -> tuple[str, ...]:
    """The changed fields that take effect with a reboot only, sorted: `machine.files[0].content`.

    The changes are of leaves among a node's documents: `("documents", 0, "machine", "kubelet", …)`, documents
    called as in `named`.
    """
    everything = tuple(changes)
    coming, going = (_whole(everything, side) for side in ("before", "after"))
    loaded = _new_modules(everything)
    return tuple(
        sorted(
            _words(each.path)
            for each in everything
            if each.path[:6] not in loaded and _waits(each.path, coming, going)
        )
    )


def _waits(path: Path, coming: frozenset[str | int], going: frozenset[str | int]) -> bool:
    _, document, *rest = path
    if document == ROOT:
        return any_covers(_AT_BOOT, rest) or not any_covers(_IMMEDIATE, rest)
    kind = kind_of(document)
    if document in coming or document in going:
        return _WHOLE.get(kind, (False, False))[document in going]
    return any_covers(_DOCUMENTS.get(kind, ()), rest)


def _whole(changes: Sequence[FieldChange], side: str) -> frozenset[str | int]:
    """The documents that are not there on one side: their kind has changed as well."""
    return frozenset(each.path[1] for each in changes if each.path[2:] == ("kind",) and getattr(each, side) == ABSENT)


def _new_modules(changes: Sequence[FieldChange]) -> frozenset[Path]:
    """Paths of the kernel modules in the root document that come; they are loaded at once."""
    modules = ("documents", ROOT, "machine", "kernel", "modules")
    return frozenset(
        each.path[:6]
        for each in changes
        if each.path[:5] == modules and each.path[6:] == ("name",) and each.before == ABSENT
    )


def _words(path: Path) -> str:
    _, document, *rest = path
    return dotted(tuple(rest)) if document == ROOT else ": ".join(filter(None, (str(document), dotted(tuple(rest)))))
