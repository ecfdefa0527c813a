"""The `DiscoveryServiceConfig` document: through whom the machines of a cluster find each other."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.subject import Subject

KIND = "DiscoveryServiceConfig"


def document(subject: Subject) -> Document:
    """The public service; nothing that can be read is told to it."""
    return typed(KIND, name="default", endpoint="https://discovery.talos.dev/")
