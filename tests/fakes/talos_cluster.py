"""A cluster that exists in memory only, to hand to the kinds of Talos."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import define, evolve, field

from provisioner.sdk import Retry, Secret
from provisioner.talos.api.access import (
    Applied,
    Configured,
    Disk,
    KubernetesNode,
    Maintenance,
    Member,
    Outlook,
    Service,
    Silent,
    Wipe,
)
from provisioner.talos.api.errors import Exists, NoAnswer
from provisioner.talos.config.encode import encode
from provisioner.talos.kinds.node import ConfigProps

UP = Service("Running", True)


@define
class FakeCluster:
    """Machines by host. Each request is noted in `asked` and has the plainest effect a machine could show.

    lose_replies   requests are carried out, but nothing comes back
    reboots        whether applying makes the machine say that it reboots
    """

    name: str = "demo"
    nodes: dict[str, str] = field(factory=dict)
    control_planes: dict[str, str] = field(factory=dict)
    machines: dict[str, Outlook] = field(factory=dict)
    kubernetes: dict[str, KubernetesNode] | None = field(factory=dict)
    hardware: dict[str, tuple[Disk, ...]] = field(factory=dict)
    asked: list[tuple[Any, ...]] = field(factory=list)
    lose_replies: bool = False
    reboots: bool = False
    error: Exception | None = None

    def look(self, hosts: Iterable[str], *, configs: bool = True, services: bool = True) -> Mapping[str, Outlook]:
        looks = {host: self.machines.get(host, Silent("connection refused")) for host in hosts}
        return {host: _as_asked(look, configs=configs, services=services) for host, look in looks.items()}

    def apply(self, host: str, text: str, *, maintenance: bool) -> Applied:
        self._note("apply", host, maintenance)
        machine = self.machines[host]
        if isinstance(machine, Maintenance):
            self.machines[host] = Maintenance("installing")
        elif isinstance(machine, Configured) and self.reboots:
            self.machines[host] = evolve(machine, persistent=text)
        elif isinstance(machine, Configured):
            self.machines[host] = evolve(machine, persistent=text, active=text)
        self._reply(host)
        return Applied(reboots=self.reboots)

    def bootstrap(self, host: str) -> None:
        self._note("bootstrap", host)
        machine = self.machines[host]
        assert isinstance(machine, Configured)
        if machine.has_etcd:
            raise Exists(host, "etcd data directory is not empty")
        self._reply(host)

    def reboot(self, host: str) -> None:
        self._note("reboot", host)
        self._reply(host)

    def reset(self, host: str, *, graceful: bool, reboot: bool, wipe: Wipe = Wipe()) -> None:
        self._note("reset", host, graceful, reboot, *([wipe] if wipe != Wipe() else []))
        machine = self.machines[host]
        assert isinstance(machine, Configured)
        self.machines[host] = evolve(machine, stage="resetting")
        self._reply(host)

    def disks(self, host: str, *, maintenance: bool = False) -> tuple[Disk, ...]:
        assert isinstance(self.machines.get(host), Maintenance if maintenance else Configured)
        return self.hardware.get(host, ())

    def remove_member(self, host: str, member_id: int) -> None:
        self._note("remove_member", host, member_id)
        self.forget_member(member_id)
        self._reply(host)

    def kubernetes_nodes(self) -> Mapping[str, KubernetesNode]:
        if self.kubernetes is None:
            raise Retry("the Kubernetes API does not answer")
        return self.kubernetes

    def delete_kubernetes_node(self, name: str) -> None:
        self._note("delete_node", name)
        self.kubernetes_nodes()
        assert self.kubernetes is not None
        self.kubernetes.pop(name, None)

    def forget_member(self, member_id: int) -> None:
        """etcd loses a member, on every machine's list."""
        for host, machine in self.machines.items():
            if isinstance(machine, Configured) and machine.members:
                left = tuple(member for member in machine.members if member.id != member_id)
                self.machines[host] = evolve(machine, members=left)

    def off(self, node: str, reason: str = "no answer in time") -> None:
        """The node's machine falls silent."""
        self.machines[self.nodes[node]] = Silent(reason)

    def set(self, node: str, **changes: Any) -> None:
        """Changes what the node's machine, which is configured, says of itself."""
        machine = self.machines[self.nodes[node]]
        assert isinstance(machine, Configured)
        self.machines[self.nodes[node]] = evolve(machine, **changes)

    def _note(self, *what: Any) -> None:
        self.asked.append(what)
        if self.error is not None:
            raise self.error

    def _reply(self, host: str) -> None:
        if self.lose_replies:
            raise NoAnswer(host, "connection lost")


def _as_asked(look: Outlook, *, configs: bool, services: bool) -> Outlook:
    """The outlook without what was not asked for."""
    if isinstance(look, Configured) and not configs:
        look = evolve(look, boot_id="", active="", persistent=None)
    if isinstance(look, Configured) and not services:
        look = evolve(look, services={}, members=None, version="")
    return look


@define
class FakeContext:
    """A context whose clock stands still until it is moved."""

    time: datetime = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    said: list[str] = field(factory=list)

    def now(self) -> datetime:
        return self.time

    def say(self, sentence: str) -> None:
        self.said.append(sentence)

    def cancelled(self) -> bool:
        return False

    def passes(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def documents(node: str, role: str = "controlplane", **machine: Any) -> tuple[dict[str, Any], ...]:
    """A small configuration with one secret in it."""
    root = {"version": "v1alpha1", "machine": {"type": role, "token": Secret("planted-token"), **machine}}
    return root, {"apiVersion": "v1alpha1", "kind": "HostnameConfig", "auto": "off", "hostname": node}


def props(
    node: str,
    role: str = "controlplane",
    delivery: str = "user_data",
    wipe: tuple[str, ...] = (),
    **machine: Any,
) -> ConfigProps:
    """The props of a node's configuration; its host follows from the name."""
    return ConfigProps(
        node=node,
        role=role,
        machine=f"id-{node}",
        host=host_of(node),
        delivery=delivery,
        documents=documents(node, role, **machine),
        wipe=wipe,
    )


def host_of(node: str) -> str:
    return f"host-{node}"


def configured(wanted: ConfigProps, **changes: Any) -> Configured:
    """A machine that runs with a configuration, healthy in every respect."""
    services = {"kubelet": UP, "apid": UP} | ({"etcd": UP} if wanted.role == "controlplane" else {})
    text = encode([_plain(document) for document in wanted.documents])
    base = Configured(
        "running", True, boot_id="boot-1", active=text, persistent=text, services=services, version="v1.13.9"
    )
    return evolve(base, **changes)


def healthy_cluster(control_planes: int = 3, workers: int = 1) -> FakeCluster:
    """A cluster in which everything holds."""
    cps = [f"control-{number}" for number in range(1, control_planes + 1)]
    ws = [f"worker-{number}" for number in range(1, workers + 1)]
    members = tuple(Member(number, node, (f"https://{host_of(node)}:2380",)) for number, node in enumerate(cps, 1))
    machines: dict[str, Outlook] = {}
    for node in cps:
        machines[host_of(node)] = configured(props(node), members=members)
    for node in ws:
        machines[host_of(node)] = configured(props(node, "worker"))
    return FakeCluster(
        nodes={node: host_of(node) for node in (*cps, *ws)},
        control_planes={node: host_of(node) for node in cps},
        machines=machines,
        kubernetes={node: KubernetesNode(node, True, version="v1.36.3") for node in (*cps, *ws)},
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.reveal() if isinstance(value, Secret) else value
