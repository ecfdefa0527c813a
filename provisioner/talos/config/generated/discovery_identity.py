"""The `DiscoveryIdentityConfig` document: which machines find each other, and what encrypts their words."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.subject import Subject

KIND = "DiscoveryIdentityConfig"


def document(subject: Subject) -> Document:
    """The cluster's id and secret."""
    return typed(KIND, clusterID=subject.secrets("cluster.id"), clusterSecret=subject.secrets("cluster.secret"))
