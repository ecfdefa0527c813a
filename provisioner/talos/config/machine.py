"""The `machine` section of the root document.

Source: siderolabs/talos v1.13, `pkg/machinery/config/generate` and its golden output.
"""

from __future__ import annotations

from collections.abc import Callable

from provisioner.sdk import Node, TalosWish, Value
from provisioner.talos.config.endpoint import host
from provisioner.talos.config.install import install
from provisioner.talos.versions import Contract


def machine(
    node: Node,
    talos: TalosWish,
    *,
    endpoint: Value,
    install_disk: str | None,
    platform: str,
    secrets: Callable[[str], Value],
) -> dict[str, Value]:
    """The section for one node; `secrets` answers paths of the bundle's tree, such as `certs.os.crt`.

    Workers get the certificate of the Talos authority with an empty key, which is how a node tells that it
    has to ask for its own certificate.
    """
    leads = node.role == "controlplane"
    section: dict[str, Value] = {
        "type": node.role,
        "token": secrets("trustdinfo.token"),
        "ca": {"crt": secrets("certs.os.crt"), "key": secrets("certs.os.key") if leads else ""},
        "certSANs": (host(endpoint),),
        "kubelet": {
            "image": f"ghcr.io/siderolabs/kubelet:v{talos.kubernetes.removeprefix('v')}",
            "defaultRuntimeSeccompProfileEnabled": True,
            "disableManifestsDirectory": True,
        },
    }
    if Contract.parse(talos.contract).empty_machine_network:
        section["network"] = {}
    if install_disk is not None:
        section["install"] = install(install_disk, talos, platform)
    section["features"] = {
        "diskQuotaSupport": True,
        "kubePrism": {"enabled": True, "port": 7445},
        "hostDNS": {"enabled": True, "forwardKubeDNSToHost": True},
    }
    if leads:
        section["nodeLabels"] = {"node.kubernetes.io/exclude-from-external-load-balancers": ""}
    return section
