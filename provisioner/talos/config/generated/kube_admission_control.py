"""The `KubeAdmissionControlConfig` document: the pod security that holds where a namespace says nothing."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.kubernetes import pod_security
from provisioner.talos.config.subject import Subject

KIND = "KubeAdmissionControlConfig"


def document(subject: Subject) -> Document:
    """Baseline is enforced, and restricted is warned of, everywhere but in `kube-system`."""
    return typed(KIND, **pod_security())
