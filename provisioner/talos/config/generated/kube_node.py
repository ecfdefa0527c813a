"""The `KubeNodeConfig` document: how the node presents itself to Kubernetes."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.subject import Subject

KIND = "KubeNodeConfig"
_ROLE = "node-role.kubernetes.io/control-plane"


def document(subject: Subject) -> Document:
    """The role of a control plane stands in labels, and in a taint that keeps ordinary pods away."""
    if not subject.leads:
        return typed(KIND, nodeIP={})
    labels: Document = {_ROLE: "", "node.kubernetes.io/exclude-from-external-load-balancers": ""}
    return typed(KIND, nodeIP={}, labels=labels, taints={_ROLE: "NoSchedule"})
