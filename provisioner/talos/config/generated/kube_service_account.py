"""The `KubeServiceAccountConfig` document: what signs the tokens of service accounts, and in whose name."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.endpoint import url
from provisioner.talos.config.subject import Subject

KIND = "KubeServiceAccountConfig"


def document(subject: Subject) -> Document:
    """The issuer is the cluster's endpoint."""
    issuer: Document = {"privateKey": subject.pem("certs.k8sserviceaccount.key"), "issuerURL": url(subject.endpoint)}
    return typed(KIND, issuer=issuer)
