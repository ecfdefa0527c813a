"""The `KubeletConfig` document: which kubelet runs."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.subject import Subject

KIND = "KubeletConfig"


def document(subject: Subject) -> Document:
    """The kubelet of the cluster's Kubernetes."""
    return typed(
        KIND,
        image=f"ghcr.io/siderolabs/kubelet:{subject.kubernetes}",
        config={},
        defaultRuntimeSeccompProfileEnabled=True,
    )
