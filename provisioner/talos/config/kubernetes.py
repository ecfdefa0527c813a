"""Pieces about Kubernetes that the root document and the documents of Talos 1.14 have alike.

Source: siderolabs/talos v1.14.1, `pkg/machinery/config/types/k8s`.
"""

from __future__ import annotations

from provisioner.sdk import Value


def image(component: str, version: str) -> str:
    """The image of a component such as `kube-scheduler`; `version` has its `v`."""
    return f"registry.k8s.io/{component}:{version}"


def pod_security() -> dict[str, Value]:
    """The admission plugin that holds pods to baseline, and warns where they are not restricted."""
    return {
        "name": "PodSecurity",
        "configuration": {
            "apiVersion": "pod-security.admission.config.k8s.io/v1alpha1",
            "kind": "PodSecurityConfiguration",
            "defaults": {
                "audit": "restricted",
                "audit-version": "latest",
                "enforce": "baseline",
                "enforce-version": "latest",
                "warn": "restricted",
                "warn-version": "latest",
            },
            "exemptions": {"namespaces": ("kube-system",), "runtimeClasses": (), "usernames": ()},
        },
    }


def audit_policy() -> dict[str, Value]:
    """Writes down of every request who asked what."""
    return {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": ({"level": "Metadata"},)}
