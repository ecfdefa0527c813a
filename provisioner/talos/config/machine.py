"""The `machine` section of the root document.

Source: siderolabs/talos v1.11 to v1.14, `pkg/machinery/config/generate`.
"""

from __future__ import annotations

from provisioner.sdk import Value
from provisioner.talos.config.endpoint import host
from provisioner.talos.config.install import install
from provisioner.talos.config.subject import Subject
from provisioner.talos.versions import Contract


def machine(subject: Subject) -> dict[str, Value]:
    """The section for one node.

    Workers get the certificate of the Talos authority with an empty key, which is how a node tells that it
    has to ask for its own certificate.
    """
    contract, leads = subject.contract, subject.leads
    section: dict[str, Value] = {
        "type": subject.node.role,
        "token": subject.secrets("trustdinfo.token"),
        "ca": subject.pair("certs.os") if leads else {"crt": subject.secrets("certs.os.crt"), "key": ""},
        "certSANs": (host(subject.endpoint),),
    }
    if not contract.kubernetes_by_documents:
        section["kubelet"] = _kubelet(subject.kubernetes)
    if contract.empty_machine_network:
        section["network"] = {} if contract.names_by_document else {"hostname": subject.node.name}
    if subject.install_disk is not None and not contract.installs_by_document:
        section["install"] = install(subject)
    section["features"] = _features(contract)
    if leads and not contract.kubernetes_by_documents:
        section["nodeLabels"] = {"node.kubernetes.io/exclude-from-external-load-balancers": ""}
    return section


def _kubelet(kubernetes: str) -> dict[str, Value]:
    return {
        "image": f"ghcr.io/siderolabs/kubelet:{kubernetes}",
        "defaultRuntimeSeccompProfileEnabled": True,
        "disableManifestsDirectory": True,
    }


def _features(contract: Contract) -> dict[str, Value]:
    """A hostname that is given goes before the stable one, which Talos 1.11 asks for all the same."""
    features: dict[str, Value] = {}
    if contract.spells_out_fixed_features:
        features |= {"rbac": True, "stableHostname": True, "apidCheckExtKeyUsage": True}
    features["diskQuotaSupport"] = True
    if not contract.kubernetes_by_documents:
        features["kubePrism"] = {"enabled": True, "port": 7445}
        features["hostDNS"] = {"enabled": True, "forwardKubeDNSToHost": True}
    return features
