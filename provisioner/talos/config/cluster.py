"""The `cluster` section of the root document.

Source: siderolabs/talos v1.13, `pkg/machinery/config/generate` and its golden output.
"""

from __future__ import annotations

from collections.abc import Callable

from provisioner.sdk import Node, Topology, Value
from provisioner.talos.config.endpoint import host, is_ipv6, url

Secrets = Callable[[str], Value]

_IPV4_NETWORKS = ("10.244.0.0/16", "10.96.0.0/12")
_IPV6_NETWORKS = ("fc00:db8:10::/56", "fc00:db8:20::/112")
"""Pods, services."""


def cluster(node: Node, topology: Topology, *, endpoint: Value, secrets: Secrets) -> dict[str, Value]:
    """The section for one node; `secrets` answers paths of the bundle's tree, such as `certs.k8s.crt`.

    A worker knows the cluster's identity, its endpoint and how to join; what signs or encrypts stays with
    the control planes.
    """
    pods, services = _IPV6_NETWORKS if is_ipv6(host(endpoint)) else _IPV4_NETWORKS
    leads = node.role == "controlplane"
    section: dict[str, Value] = {
        "id": secrets("cluster.id"),
        "secret": secrets("cluster.secret"),
        "controlPlane": {"endpoint": url(endpoint)},
        "clusterName": topology.cluster,
        "network": {"dnsDomain": "cluster.local", "podSubnets": (pods,), "serviceSubnets": (services,)},
        "token": secrets("secrets.bootstraptoken"),
    }
    if leads:
        section["secretboxEncryptionSecret"] = secrets("secrets.secretboxencryptionsecret")
    section["ca"] = {"crt": secrets("certs.k8s.crt"), "key": secrets("certs.k8s.key") if leads else ""}
    if leads:
        section |= _control_plane(topology.talos.kubernetes, endpoint, secrets)
    section["discovery"] = {
        "enabled": True,
        "registries": {"kubernetes": {"disabled": True}, "service": {}},
    }
    if leads:
        section["etcd"] = {"ca": _pair("certs.etcd", secrets)}
    return section


def _control_plane(kubernetes: str, endpoint: Value, secrets: Secrets) -> dict[str, Value]:
    version = f"v{kubernetes.removeprefix('v')}"
    return {
        "aggregatorCA": _pair("certs.k8saggregator", secrets),
        "serviceAccount": {"key": secrets("certs.k8sserviceaccount.key")},
        "apiServer": {
            "image": f"registry.k8s.io/kube-apiserver:{version}",
            "certSANs": (host(endpoint),),
            "admissionControl": (_pod_security(),),
            "auditPolicy": {
                "apiVersion": "audit.k8s.io/v1",
                "kind": "Policy",
                "rules": ({"level": "Metadata"},),
            },
        },
        "controllerManager": {"image": f"registry.k8s.io/kube-controller-manager:{version}"},
        "proxy": {"image": f"registry.k8s.io/kube-proxy:{version}"},
        "scheduler": {"image": f"registry.k8s.io/kube-scheduler:{version}"},
    }


def _pair(path: str, secrets: Secrets) -> dict[str, Value]:
    return {"crt": secrets(f"{path}.crt"), "key": secrets(f"{path}.key")}


def _pod_security() -> dict[str, Value]:
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
