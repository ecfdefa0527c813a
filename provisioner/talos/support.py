"""Which Talos releases `prov` writes configuration for, with the Kubernetes releases each one runs.

One row per minor release. The Kubernetes window is the one Talos itself enforces on component images.
"""

from __future__ import annotations

import re

from attrs import frozen

from provisioner.sdk import ProvError
from provisioner.talos.versions import Contract

_KUBERNETES = re.compile(r"^v?1\.(?P<minor>\d+)(?:\.|\Z)")


class UnsupportedTalos(ProvError):
    """A Talos release that `prov` has no configuration for."""

    code = "talos-version"


@frozen
class Support:
    """What is known about one Talos minor release.

    kubernetes_min, kubernetes_max  minors of Kubernetes 1, both inclusive
    kubernetes                      the default version for new clusters, with `v`
    newest                          the newest patch release known to this `prov`, with `v`
    source                          where the row was read
    """

    contract: Contract
    kubernetes_min: int
    kubernetes_max: int
    kubernetes: str
    newest: str
    source: str


_ROWS = (
    Support(Contract(1, 11), 29, 34, "v1.34.1", "v1.11.6", "siderolabs/talos v1.11.6, pkg/machinery"),
    Support(Contract(1, 12), 30, 35, "v1.35.4", "v1.12.11", "siderolabs/talos v1.12.11, pkg/machinery"),
    Support(Contract(1, 13), 31, 36, "v1.36.3", "v1.13.9", "siderolabs/talos v1.13.9, pkg/machinery"),
    Support(Contract(1, 14), 32, 37, "v1.37.0", "v1.14.1", "siderolabs/talos v1.14.1, pkg/machinery"),
)
_BY_CONTRACT = {row.contract: row for row in _ROWS}


def support_for(version: str) -> Support | None:
    """The row of a release such as `v1.13.9` or `1.13`; None for any other, also for what is no version."""
    try:
        return _BY_CONTRACT.get(Contract.parse(version))
    except ValueError:
        return None


def require(version: str) -> Support:
    """The row of a release; raises UnsupportedTalos, naming the releases there are."""
    row = support_for(version)
    if row is None:
        names = ", ".join(str(known.contract) for known in _ROWS)
        raise UnsupportedTalos(
            "this Talos release is not supported",
            detail=f"{version!r} was asked for; supported minor releases: {names}",
            remedy=f"set talos.version to one of them, such as {_ROWS[-1].newest}",
        )
    return row


def default_kubernetes(version: str) -> str:
    """The Kubernetes version a new cluster gets, such as `v1.36.3`; raises UnsupportedTalos."""
    return require(version).kubernetes


def kubernetes_fits(talos: str, kubernetes: str) -> bool:
    """Whether this Talos runs this Kubernetes; false for what is unsupported or no version at all."""
    row, match = support_for(talos), _KUBERNETES.match(kubernetes)
    if row is None or match is None:
        return False
    return row.kubernetes_min <= int(match["minor"]) <= row.kubernetes_max
