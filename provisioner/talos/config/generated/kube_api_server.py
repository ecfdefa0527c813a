"""The `KubeAPIServerConfig` document: which API server runs, and for which names its certificate is good."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.endpoint import host
from provisioner.talos.config.kubernetes import image
from provisioner.talos.config.subject import Subject

KIND = "KubeAPIServerConfig"


def document(subject: Subject) -> Document:
    """Good for the endpoint's host beside the machine's own addresses."""
    return typed(KIND, image=image("kube-apiserver", subject.kubernetes), certExtraSANs=(host(subject.endpoint),))
