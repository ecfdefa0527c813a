"""The server certificates of one machine, and who signs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prov_sim.machine.certificates import Issued, decode_pem, issue, load_authority
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


def certifiable(machine: Machine, config: MachineConfig) -> bool:
    """Whether somebody signs the API's certificate: a control plane itself, for a worker one that is up."""
    return config.is_control_plane or machine.world.signs(config, _names(machine, config))


def api_certificate(machine: Machine, config: MachineConfig) -> Issued | None:
    """The certificate of the machine API, and whose clients it lets in; None while nobody signs."""
    names = _names(machine, config)
    if config.is_control_plane:
        authority = load_authority(config.get("machine", "ca", "crt"), config.get("machine", "ca", "key"))
        return issue(authority, names, clients=trusted(config))
    return machine.world.certificate(config, names)


def trusted(config: MachineConfig) -> list[str]:
    """The CAs whose clients the machine API lets in, PEM."""
    accepted = [item["crt"] for item in config.machine.get("acceptedCAs") or []]
    return [decode_pem(item) for item in (config.get("machine", "ca", "crt"), *accepted)]


def _names(machine: Machine, config: MachineConfig) -> list[str]:
    return [machine.address, machine.hostname, *machine.more_names, *(config.machine.get("certSANs") or [])]


def kubernetes_certificate(machine: Machine, config: MachineConfig) -> Issued:
    """The certificate of a control plane's Kubernetes API, for clients of the cluster's Kubernetes CA."""
    authority = load_authority(config.kubernetes_ca.get("crt"), config.kubernetes_ca.get("key"))
    more = [config.endpoint_host, *config.api_server_names]
    names = [machine.address, "127.0.0.1", machine.hostname, *more, *_KUBERNETES_NAMES]
    return issue(authority, names, organization="kube-master", clients=[authority.pem])
