"""What the kubelet of a machine reports about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prov_sim.machine.documents import MachineConfig
from prov_sim.machine.node import NodeFacts

if TYPE_CHECKING:
    from prov_sim.machine.machine import Machine

DEFAULT_KUBERNETES: Final = "v1.36.3"
"""What Talos v1.13.9 runs where the configuration names no image."""

_CONTROL_PLANE_TAINT: Final = ("node-role.kubernetes.io/control-plane", "", "NoSchedule")


def node_facts(machine: Machine, config: MachineConfig) -> NodeFacts:
    """The facts of a machine under this configuration."""
    order = machine.order
    return NodeFacts(
        name=machine.hostname,
        address=machine.address,
        control_plane=config.is_control_plane,
        kubelet_version=config.kubelet_version or DEFAULT_KUBERNETES,
        operating_system=machine.operating_system,
        machine_id=machine.id,
        boot_id=machine.boot_id,
        cpus=order.cpus,
        memory_mib=order.memory_mib,
        labels=config.machine.get("nodeLabels") or {},
        annotations=config.machine.get("nodeAnnotations") or {},
        taints=tuple(_taints(config)),
    )


def _taints(config: MachineConfig) -> list[tuple[str, str, str]]:
    taints = []
    for key, text in (config.machine.get("nodeTaints") or {}).items():
        value, _, effect = str(text).rpartition(":")
        taints.append((key, value, effect))
    if config.is_control_plane and not config.cluster.get("allowSchedulingOnControlPlanes"):
        taints.append(_CONTROL_PLANE_TAINT)
    return taints
