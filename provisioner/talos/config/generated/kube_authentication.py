"""The `KubeAuthenticationConfig` document: what the Kubernetes API answers to anybody."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.subject import Subject

KIND = "KubeAuthenticationConfig"


def document(subject: Subject) -> Document:
    """Its health, and nothing else."""
    paths = tuple({"path": path} for path in ("/livez", "/readyz", "/healthz"))
    return typed(KIND, configuration={"anonymous": {"enabled": True, "conditions": paths}, "jwt": ()})
