"""The `KubeControllerManagerConfig` document: which controller manager runs."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.kubernetes import image
from provisioner.talos.config.subject import Subject

KIND = "KubeControllerManagerConfig"


def document(subject: Subject) -> Document:
    """That of the cluster's Kubernetes."""
    return typed(KIND, image=image("kube-controller-manager", subject.kubernetes))
