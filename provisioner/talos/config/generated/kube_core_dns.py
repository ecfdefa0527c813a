"""The `KubeCoreDNSConfig` document: CoreDNS answers the pods."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.subject import Subject

KIND = "KubeCoreDNSConfig"


def document(subject: Subject) -> Document:
    """The one that comes with Talos."""
    return typed(KIND, enabled=True)
