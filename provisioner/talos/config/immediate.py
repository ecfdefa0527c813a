"""Which changes of a configuration make a node of Talos 1.13 or older reboot.

Up to 1.13 the node compares the root document it has with the one it gets: fields in the table below take
effect at once, any other one needs a reboot. Typed documents never cause one by themselves.
Source: siderolabs/talos v1.13, `ApplyConfiguration` and `runtime.CanApplyImmediate`.
"""

from __future__ import annotations

from collections.abc import Iterable

from provisioner.sdk import Path
from provisioner.talos.config.path import covers, dotted, patterns

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


def needs_reboot(paths: Iterable[Path]) -> bool:
    """Whether applying these changes reboots the node; see `reboot_fields` for the form of the paths."""
    return bool(reboot_fields(paths))


def reboot_fields(paths: Iterable[Path]) -> tuple[str, ...]:
    """The changed fields that take effect with a reboot only, sorted: `machine.files[0].content`.

    A path is that of a changed leaf among a node's documents: `("documents", 0, "machine", "kubelet", …)`.
    The root document is always number 0.
    """
    below_root = (path[2:] for path in paths if path[1] == 0)
    return tuple(
        sorted(dotted(path) for path in below_root if not any(covers(pattern, path) for pattern in _IMMEDIATE))
    )
