"""The `KubeAuthorizerConfig` documents: who decides what a request to the Kubernetes API may do."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.subject import Subject

KIND = "KubeAuthorizerConfig"


def document(subject: Subject) -> Document:
    """The decision for kubelets, which is asked first."""
    return typed(KIND, name="node", type="Node")


def roles(subject: Subject) -> Document:
    """The decision by roles, for everybody else."""
    return typed(KIND, name="rbac", type="RBAC")
