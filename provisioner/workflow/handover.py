"""What people get: the state of the nodes, and files to reach the cluster with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from provisioner.cluster.compose import TALOS
from provisioner.engine.clients import recorded_outputs
from provisioner.errors import ProvError
from provisioner.model.state import State
from provisioner.model.value import Value
from provisioner.talos.config.endpoint import url
from provisioner.talos.design import HEALTH, SECRETS
from provisioner.talos.handover import NodeStatus, kubeconfig_text, node_status, talosconfig_text
from provisioner.workflow.files import write_private
from provisioner.workflow.open import Project


@frozen
class ClusterStatus:
    """The nodes as they were just found. Healthy means that the health gate has passed and every node is ready."""

    nodes: tuple[NodeStatus, ...]
    endpoint: str
    healthy: bool

    def view(self) -> dict[str, Any]:
        """For machines."""
        return {"endpoint": self.endpoint, "healthy": self.healthy, "nodes": [asdict(node) for node in self.nodes]}


def status(project: Project) -> ClusterStatus:
    """Asks every node that is on record."""
    state = project.store.load()
    access = _access(project, state)
    nodes = tuple(node_status(access))
    passed = HEALTH in state.entries
    expected = {node.name for node in project.topology(state).nodes}
    ready = {node.name for node in nodes if node.ready}
    return ClusterStatus(nodes, str(url(access.endpoint)), healthy=passed and ready == expected)


def kubeconfig(project: Project) -> str:
    """A kubeconfig with a fresh certificate."""
    state = project.store.load()
    return kubeconfig_text(
        _secrets(state),
        cluster=project.spec.name,
        endpoint=_access(project, state).endpoint,
        now=project.world.now(),
    )


def talosconfig(project: Project) -> str:
    """A talosconfig with a fresh certificate; its endpoints are the control planes."""
    state = project.store.load()
    access = _access(project, state)
    return talosconfig_text(
        _secrets(state),
        cluster=project.spec.name,
        endpoints=list(access.control_planes.values()),
        nodes=list(access.nodes.values()),
        now=project.world.now(),
    )


def hand_over(project: Project) -> dict[str, Path]:
    """Writes both files beside the state and says where."""
    files = _files(project)
    write_private(files["kubeconfig"], kubeconfig(project).encode())
    write_private(files["talosconfig"], talosconfig(project).encode())
    return files


def withdraw(project: Project) -> None:
    """Takes the files of a cluster away that is gone."""
    for path in _files(project).values():
        path.unlink(missing_ok=True)


def _files(project: Project) -> dict[str, Path]:
    base = project.store.path.with_suffix("")
    return {name: base.with_name(f"{base.name}.{name}") for name in ("kubeconfig", "talosconfig")}


def _access(project: Project, state: State):  # type: ignore[no-untyped-def]
    clients = project.clients(project.graph(state))
    return clients.client(TALOS, recorded_outputs(state))


def _secrets(state: State) -> Mapping[str, Value]:
    entry = state.entries.get(SECRETS)
    if entry is None or not entry.outputs:
        raise ProvError(
            "the cluster has no secrets yet",
            detail="nothing was applied so far",
            remedy="run `prov apply` first",
        )
    return entry.outputs
