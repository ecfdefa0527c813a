"""The `cluster` section of the root document.

Source: siderolabs/talos v1.11 to v1.14, `pkg/machinery/config/generate`.
"""

from __future__ import annotations

from provisioner.sdk import Value
from provisioner.talos.config.endpoint import host, networks, url
from provisioner.talos.config.kubernetes import audit_policy, image, pod_security
from provisioner.talos.config.subject import Subject


def cluster(subject: Subject) -> dict[str, Value]:
    """The section for one node.

    A worker knows the cluster's identity, its endpoint and how to join; what signs or encrypts stays with
    the control planes. From contract 1.14 all but etcd and the way to join has documents of its own.
    """
    section = {"token": subject.secrets("secrets.bootstraptoken")}
    if not subject.contract.kubernetes_by_documents:
        section = _kubernetes(subject)
    if subject.leads:
        section["etcd"] = {"ca": subject.pair("certs.etcd")}
    return section


def _kubernetes(subject: Subject) -> dict[str, Value]:
    pods, services = networks(subject.endpoint)
    section: dict[str, Value] = {
        "id": subject.secrets("cluster.id"),
        "secret": subject.secrets("cluster.secret"),
        "controlPlane": {"endpoint": url(subject.endpoint)},
        "clusterName": subject.topology.cluster,
        "network": {"dnsDomain": "cluster.local", "podSubnets": (pods,), "serviceSubnets": (services,)},
        "token": subject.secrets("secrets.bootstraptoken"),
    }
    if subject.leads:
        section["secretboxEncryptionSecret"] = subject.secrets("secrets.secretboxencryptionsecret")
    ca = subject.pair("certs.k8s") if subject.leads else {"crt": subject.secrets("certs.k8s.crt"), "key": ""}
    section["ca"] = ca
    if subject.leads:
        section |= _control_plane(subject)
    section["discovery"] = {
        "enabled": True,
        "registries": {"kubernetes": {"disabled": True}, "service": {}},
    }
    return section


def _control_plane(subject: Subject) -> dict[str, Value]:
    version = subject.kubernetes
    return {
        "aggregatorCA": subject.pair("certs.k8saggregator"),
        "serviceAccount": {"key": subject.secrets("certs.k8sserviceaccount.key")},
        "apiServer": _api_server(subject),
        "controllerManager": {"image": image("kube-controller-manager", version)},
        "proxy": {"image": image("kube-proxy", version)},
        "scheduler": {"image": image("kube-scheduler", version)},
    }


def _api_server(subject: Subject) -> dict[str, Value]:
    section: dict[str, Value] = {
        "image": image("kube-apiserver", subject.kubernetes),
        "certSANs": (host(subject.endpoint),),
    }
    if subject.contract.spells_out_fixed_features:
        section["disablePodSecurityPolicy"] = True
    return section | {"admissionControl": (pod_security(),), "auditPolicy": audit_policy()}
