"""The `SecurityProfileConfig` document: pods are kept apart from the machine's own services."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.subject import Subject

KIND = "SecurityProfileConfig"


def document(subject: Subject) -> Document:
    """Isolated workloads."""
    return typed(KIND, workloadIsolation=True)
