"""A Kubernetes node object, as the kubelet of a simulated machine reports it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from attrs import define, frozen


class Kubelet(Protocol):
    """Who keeps a node object alive."""

    def keeps(self, node: str) -> bool:
        """Whether a running kubelet reports under this name."""
        ...


@frozen
class NodeFacts:
    """What a kubelet reports. `memory_mib` in MiB; `taints` as (key, value, effect)."""

    name: str
    address: str
    control_plane: bool
    kubelet_version: str
    operating_system: str
    machine_id: str
    boot_id: str
    cpus: int
    memory_mib: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    taints: tuple[tuple[str, str, str], ...]


@define(eq=False)
class Node:
    """A node object; it outlives its machine, then as not ready."""

    facts: NodeFacts
    kubelet: Kubelet
    uid: str
    created: datetime
    version: int

    @property
    def ready(self) -> bool:
        return self.kubelet.keeps(self.facts.name)

    def manifest(self) -> dict[str, Any]:
        """The object as the Kubernetes API shows it."""
        facts = self.facts
        capacity = {"cpu": str(facts.cpus), "memory": f"{facts.memory_mib * 1024}Ki", "pods": "110"}
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": facts.name,
                "uid": self.uid,
                "resourceVersion": str(self.version),
                "creationTimestamp": _time(self.created),
                "labels": _labels(facts),
                "annotations": dict(facts.annotations),
            },
            "spec": {
                "providerID": f"sim://{facts.machine_id}",
                "taints": [
                    {"key": key, "value": value, "effect": effect} if value else {"key": key, "effect": effect}
                    for key, value, effect in facts.taints
                ],
            },
            "status": {
                "addresses": [
                    {"type": "InternalIP", "address": facts.address},
                    {"type": "Hostname", "address": facts.name},
                ],
                "capacity": capacity,
                "allocatable": capacity,
                "conditions": [self._ready_condition()],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
                "nodeInfo": _info(facts),
            },
        }

    def _ready_condition(self) -> dict[str, str]:
        seen = _time(self.created)
        stamps = {"lastHeartbeatTime": seen, "lastTransitionTime": seen}
        if self.ready:
            return {
                "type": "Ready",
                "status": "True",
                "reason": "KubeletReady",
                "message": "kubelet is posting ready status",
                **stamps,
            }
        return {
            "type": "Ready",
            "status": "Unknown",
            "reason": "NodeStatusUnknown",
            "message": "Kubelet stopped posting node status.",
            **stamps,
        }


def _labels(facts: NodeFacts) -> dict[str, str]:
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": facts.name,
        "kubernetes.io/os": "linux",
    }
    if facts.control_plane:
        labels["node-role.kubernetes.io/control-plane"] = ""
    return labels | dict(facts.labels)


def _info(facts: NodeFacts) -> dict[str, str]:
    return {
        "architecture": "amd64",
        "bootID": facts.boot_id,
        "containerRuntimeVersion": "containerd://2.2.0",
        "kernelVersion": "6.18.0-talos",
        "kubeProxyVersion": "",
        "kubeletVersion": facts.kubelet_version,
        "machineID": facts.machine_id,
        "operatingSystem": "linux",
        "osImage": facts.operating_system,
        "systemUUID": facts.machine_id,
    }


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
