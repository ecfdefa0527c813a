"""The `KubePrismConfig` document: the Kubernetes API on every machine's own loopback."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.subject import Subject

KIND = "KubePrismConfig"


def document(subject: Subject) -> Document:
    """On the port that Talos itself takes."""
    return typed(KIND, port=7445)
