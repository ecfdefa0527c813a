"""The `KubeNetworkConfig` document: the networks of pods and services."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.endpoint import networks
from provisioner.talos.config.subject import Subject

KIND = "KubeNetworkConfig"


def document(subject: Subject) -> Document:
    """Of the address family of the endpoint."""
    pods, services = networks(subject.endpoint)
    return typed(KIND, dnsDomain="cluster.local", podSubnets=(pods,), serviceSubnets=(services,))
