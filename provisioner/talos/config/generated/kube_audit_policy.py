"""The `KubeAuditPolicyConfig` document: what of requests to the Kubernetes API is written down."""

from __future__ import annotations

from provisioner.talos.config.document import Document, typed
from provisioner.talos.config.kubernetes import audit_policy
from provisioner.talos.config.subject import Subject

KIND = "KubeAuditPolicyConfig"


def document(subject: Subject) -> Document:
    """Who asked what, without contents."""
    return typed(KIND, configuration=audit_policy())
