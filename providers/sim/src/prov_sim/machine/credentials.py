"""The server certificates of one machine, and who signs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prov_sim.machine.certificates import Authority, Issued, decode_pem, issue, load_authority
from prov_sim.machine.documents import MachineConfig

if TYPE_CHECKING:
    from prov_sim.machine.machine import Machine

_KUBERNETES_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)


def signer(machine: Machine, config: MachineConfig) -> Authority | None:
    """Who signs the API's certificate: a control plane itself, for a worker a control plane that is up."""
    if not config.is_control_plane:
        return machine.world.signer(config)
    return load_authority(config.get("machine", "ca", "crt"), config.get("machine", "ca", "key"))


def api_certificate(machine: Machine, config: MachineConfig) -> Issued | None:
    """The certificate of the machine API, and whose clients it lets in; None while nobody signs."""
    authority = signer(machine, config)
    if authority is None:
        return None
    accepted = [decode_pem(item["crt"]) for item in config.machine.get("acceptedCAs") or []]
    names = [machine.address, machine.hostname, *(config.machine.get("certSANs") or [])]
    return issue(authority, names, clients=[authority.pem, *accepted])


def kubernetes_certificate(machine: Machine, config: MachineConfig) -> Issued:
    """The certificate of a control plane's Kubernetes API, for clients of the cluster's Kubernetes CA."""
    authority = load_authority(config.kubernetes_ca.get("crt"), config.kubernetes_ca.get("key"))
    more = [config.endpoint_host, *config.api_server_names]
    names = [machine.address, "127.0.0.1", machine.hostname, *more, *_KUBERNETES_NAMES]
    return issue(authority, names, organization="kube-master", clients=[authority.pem])
