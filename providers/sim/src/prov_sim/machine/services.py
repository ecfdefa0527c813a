"""The services of a machine and whether it calls itself ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from prov_sim.machine.machine import Machine

_ALWAYS = ("apid", "auditd", "containerd", "machined", "syslogd", "udevd")


@frozen
class Service:
    """A service as Talos lists it; `state` is one of its words such as Preparing or Running."""

    id: str
    state: str
    healthy: bool
    message: str = ""


def services(machine: Machine) -> list[Service]:
    """What runs, or ought to, by id. A machine in maintenance has no Kubernetes and no etcd."""
    listed = [Service(name, "Running", healthy=True) for name in _ALWAYS]
    if machine.active is not None:
        listed.append(Service("cri", "Running", healthy=True))
        kubelet = machine.kubelet_up
        listed.append(Service("kubelet", "Running" if kubelet else "Waiting", healthy=kubelet))
        if machine.is_control_plane:
            listed += [_etcd(machine), Service("trustd", "Running", healthy=True)]
    return sorted(listed, key=lambda service: service.id)


def unmet(machine: Machine) -> list[tuple[str, str]]:
    """The conditions of MachineStatus that do not hold, with reasons. Only booting and running have any."""
    if machine.stage not in ("booting", "running"):
        return []
    conditions = []
    sick = [service.id for service in services(machine) if not service.healthy]
    if sick:
        conditions.append(("services", ", ".join(f"{name} not healthy" for name in sick)))
    if not machine.node_ready:
        conditions.append(("nodeReady", f'node "{machine.hostname}" status is not available yet'))
    return conditions


def _etcd(machine: Machine) -> Service:
    messages = {
        "Preparing": "Running pre state",
        "Failed": "etcd member was removed",
        "Running": "" if machine.etcd_healthy else "context deadline exceeded",
    }
    state = machine.etcd_state or "Waiting"
    return Service("etcd", state, machine.etcd_healthy, messages.get(state, ""))
