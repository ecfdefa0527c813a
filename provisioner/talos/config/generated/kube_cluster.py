"""The `KubeClusterConfig` document: what the cluster is called, and where its Kubernetes API answers."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.endpoint import url
from provisioner.talos.config.subject import Subject

KIND = "KubeClusterConfig"


def document(subject: Subject) -> Document:
    """The cluster's name and endpoint."""
    return typed(KIND, clusterName=subject.topology.cluster, endpoint=url(subject.endpoint))
