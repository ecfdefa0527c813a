"""The `KubeFlannelCNIConfig` document: flannel carries the pods' traffic; without the document nobody does."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.subject import Subject

KIND = "KubeFlannelCNIConfig"


def document(subject: Subject) -> Document:
    """In VXLAN, on the port assigned to it."""
    return typed(KIND, backendType="vxlan", backendPort=4789)
