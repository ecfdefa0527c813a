"""The `KubeAPIServerCAConfig` document: who vouches for the Kubernetes API."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.subject import Subject

KIND = "KubeAPIServerCAConfig"


def document(subject: Subject) -> Document:
    """A control plane signs with the authority, a worker trusts it."""
    if subject.leads:
        return typed(KIND, issuingCA=subject.pem_pair("certs.k8s"))
    return typed(KIND, acceptedCAs=(subject.pem("certs.k8s.crt"),))
