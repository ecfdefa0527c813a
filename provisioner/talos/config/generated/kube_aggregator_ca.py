"""The `KubeAggregatorCAConfig` document: who vouches for requests that the Kubernetes API hands on."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.subject import Subject

KIND = "KubeAggregatorCAConfig"


def document(subject: Subject) -> Document:
    """The authority for the front proxy."""
    return typed(KIND, issuingCA=subject.pem_pair("certs.k8saggregator"))
