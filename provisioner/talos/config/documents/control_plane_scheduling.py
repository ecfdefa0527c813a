"""Whether workloads may run on control planes: a taint of the `KubeNodeConfig` document that is generated, or is not.

Source: siderolabs/talos v1.14, `generate/kubernetes.go`; for the root document `ClusterConfig` of v1.13.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.talos.settings.forms import SWITCH
from provisioner.talos.settings.section import Document, Section, Settings, Target, document, plain
from provisioner.talos.settings.shape import Key

_TAINT = "node-role.kubernetes.io/control-plane"
_KEY = Key(SWITCH, "whether workloads may run on control planes")


def _compile(settings: Settings, target: Target) -> Iterator[Document]:
    allowed = plain(settings, "schedule_on_control_planes")
    if allowed is None or not target.leads:
        return
    if not target.contract.kubernetes_by_documents:
        yield {"cluster": {"allowSchedulingOnControlPlanes": allowed}}
    elif allowed:
        yield document("KubeNodeConfig", taints={_TAINT: {"$patch": "delete"}})


CONTROL_PLANE_SCHEDULING = Section({"schedule_on_control_planes": _KEY}, _compile)
