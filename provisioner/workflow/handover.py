"""What people get: the state of the nodes, and files to reach the cluster with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from provisioner.cluster.compose import TALOS
from provisioner.engine.clients import Clients, RecordedOutputs
from provisioner.errors import ProvError
from provisioner.model.plan import Plan
from provisioner.model.state import State
from provisioner.talos.config.endpoint import url
from provisioner.talos.design import CONFIG, HEALTH
from provisioner.talos.handover import (
    YEAR,
    NodeStatus,
    client_certificate,
    kubeconfig_text,
    node_status,
    talosconfig_text,
)
from provisioner.workflow.files import write_private
from provisioner.workflow.open import Project
from provisioner.workflow.secrets import near_their_end, secrets_of


@frozen
class ClusterStatus:
    """The nodes as they were just found. Healthy means that the health gate has passed and every node is ready.

    `files` says where kubeconfig and talosconfig are, as far as they were handed over.
    """

    nodes: tuple[NodeStatus, ...]
    endpoint: str
    healthy: bool
    files: Mapping[str, str]

    def view(self) -> dict[str, Any]:
        """For machines."""
        nodes = [asdict(node) for node in self.nodes]
        return {"endpoint": self.endpoint, "healthy": self.healthy, "files": dict(self.files), "nodes": nodes}


def status(project: Project, plan: Plan | None = None) -> ClusterStatus:
    """Asks every node that is on record; with `plan`, in the terms of the plan that was just applied."""
    state = _state(project)
    secrets_of(state)
    _tell_of_ends(project, state)
    _renew(project, plan)
    access = _access(project, state, plan)
    nodes = tuple(node_status(access))
    expected = {address.name for address in state.entries if address.kind == CONFIG}
    healthy = HEALTH in state.entries and {node.name for node in nodes if node.ready} == expected
    files = {name: str(path) for name, path in _files(project).items() if path.exists()}
    return ClusterStatus(nodes, str(url(access.endpoint)), healthy, files)


def kubeconfig(project: Project, plan: Plan | None = None, *, ttl: timedelta = YEAR) -> str:
    """A kubeconfig with a fresh certificate, good for `ttl`, or until the authority ends."""
    state = _state(project)
    return kubeconfig_text(
        secrets_of(state),
        cluster=project.spec.name,
        endpoint=_access(project, state, plan).endpoint,
        now=project.world.now(),
        ttl=ttl,
    )


def talosconfig(
    project: Project, plan: Plan | None = None, *, ttl: timedelta = YEAR, roles: Sequence[str] = ()
) -> str:
    """A talosconfig with a fresh certificate, an administrator's unless roles are named.

    Its endpoints are the control planes. The certificate is good for `ttl`, or until the authority ends.
    """
    state = _state(project)
    secrets = secrets_of(state)
    access = _access(project, state, plan)
    return talosconfig_text(
        secrets,
        cluster=project.spec.name,
        endpoints=list(access.control_planes.values()),
        nodes=list(access.nodes.values()),
        now=project.world.now(),
        ttl=ttl,
        roles=roles,
    )


def hand_over(project: Project, plan: Plan) -> None:
    """Writes both files beside the state."""
    files = _files(project)
    write_private(files["kubeconfig"], kubeconfig(project, plan).encode())
    write_private(files["talosconfig"], talosconfig(project, plan).encode())


def _renew(project: Project, plan: Plan | None) -> None:
    """Makes the files anew whose certificate has lived half its life: nobody finds out by being locked out."""
    from provisioner.talos.pki.vetting import half_of_life  # heavy: the crypto library

    make = {"kubeconfig": kubeconfig, "talosconfig": talosconfig}
    for name, path in _files(project).items():
        certificate = client_certificate(path.read_text()) if path.exists() else ""
        if certificate and project.world.now() > half_of_life(certificate):
            write_private(path, make[name](project, plan).encode())
            project.world.tell(f"{path} has a fresh certificate")


def _tell_of_ends(project: Project, state: State) -> None:
    for sentence in near_their_end(state, project.world.now()):
        project.world.tell(sentence)


def withdraw(project: Project) -> None:
    """Takes the files of a cluster away that is gone."""
    for path in _files(project).values():
        path.unlink(missing_ok=True)


def _files(project: Project) -> dict[str, Path]:
    base = project.store.path.with_suffix("")
    return {name: base.with_name(f"{base.name}.{name}") for name in ("kubeconfig", "talosconfig")}


def _access(project: Project, state: State, plan: Plan | None) -> Any:
    providers = plan.providers if plan is not None else project.graph(state).providers
    return Clients(project.registry, providers).client(TALOS, RecordedOutputs(state))


def _state(project: Project) -> State:
    """What is on record of a cluster; raises ProvError where the file describes none."""
    if project.spec.talos is None:
        raise ProvError(
            "the file describes no cluster",
            detail="it has resources and outputs only",
            remedy="see its outputs with `prov output`, or add `talos:`, `providers:` and `pools:`",
        )
    return project.store.load()
