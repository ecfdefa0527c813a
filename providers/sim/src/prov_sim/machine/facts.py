"""What a machine reports about itself: its kubelet, and its firmware."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING

from attrs import frozen

from prov_sim.machine.documents import MachineConfig
from prov_sim.machine.node import NodeFacts

if TYPE_CHECKING:
    from prov_sim.machine.machine import Machine


@frozen
class Hardware:
    """Which machine it is. `macs` are those of its network cards by the names of these."""

    uuid: str
    serial: str
    macs: dict[str, str]


def hardware_of(machine_id: str) -> Hardware:
    """Made up, and the same every time."""
    digest = hashlib.sha256(machine_id.encode()).digest()
    mac = ":".join(f"{byte:02x}" for byte in (0x02, *digest[:5]))
    return Hardware(str(uuid.UUID(bytes=digest[:16], version=4)), f"SIM{digest.hex()[:8].upper()}", {"eth0": mac})


def node_facts(machine: Machine, config: MachineConfig) -> NodeFacts:
    """The facts of a machine under this configuration."""
    order = machine.order
    return NodeFacts(
        name=machine.hostname,
        address=machine.address,
        control_plane=config.is_control_plane,
        kubelet_version=config.kubelet_version or machine.talos.default_kubernetes,
        operating_system=machine.operating_system,
        machine_id=machine.id,
        boot_id=machine.boot_id,
        cpus=order.cpus,
        memory_mib=order.memory_mib,
        labels=config.presented("labels"),
        annotations=config.presented("annotations"),
        taints=tuple(_taints(config)),
    )


def _taints(config: MachineConfig) -> list[tuple[str, str, str]]:
    taints = []
    for key, text in config.presented("taints").items():
        value, _, effect = str(text).rpartition(":")
        taints.append((key, value, effect))
    return taints
