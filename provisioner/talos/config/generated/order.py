"""Which documents a node gets beside the root document, in the order in which Talos writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from provisioner.talos.config.document import Document
from provisioner.talos.config.documents.hostname import hostname
from provisioner.talos.config.generated import (
    discovery_identity,
    discovery_service,
    ephemeral_volume,
    filesystem_trim,
    kube_admission_control,
    kube_aggregator_ca,
    kube_api_server,
    kube_api_server_ca,
    kube_audit_policy,
    kube_authentication,
    kube_authorizer,
    kube_cluster,
    kube_controller_manager,
    kube_core_dns,
    kube_etcd_encryption,
    kube_flannel,
    kube_network,
    kube_node,
    kube_prism,
    kube_proxy,
    kube_scheduler,
    kube_service_account,
    kubelet,
    resolver,
    security_profile,
    unattended_install,
)
from provisioner.talos.config.subject import Subject

_Maker = Callable[[Subject], Document]

_DISCOVERY: tuple[_Maker, ...] = (discovery_service.document, discovery_identity.document)
_HARDENING: tuple[_Maker, ...] = (ephemeral_volume.document, filesystem_trim.document, security_profile.document)
_KUBERNETES: tuple[_Maker, ...] = (
    kube_cluster.document,
    kube_node.document,
    kubelet.document,
    kube_network.document,
    kube_api_server_ca.document,
    kube_prism.document,
)
_CONTROL_PLANE: tuple[_Maker, ...] = (
    kube_aggregator_ca.document,
    kube_admission_control.document,
    kube_audit_policy.document,
    kube_authentication.document,
    kube_authorizer.document,
    kube_authorizer.roles,
    kube_etcd_encryption.document,
    kube_service_account.document,
    kube_api_server.document,
    kube_controller_manager.document,
    kube_scheduler.document,
    kube_proxy.document,
    kube_flannel.document,
    kube_core_dns.document,
)


def typed_documents(subject: Subject) -> tuple[Document, ...]:
    """All documents of the subject that have a kind."""
    return tuple(_made(subject))


def _made(subject: Subject) -> Iterator[Document]:
    contract = subject.contract
    if contract.kubernetes_by_documents:
        yield from (make(subject) for make in _DISCOVERY)
    if contract.installs_by_document and subject.install_disk is not None:
        yield unattended_install.document(subject)
    if contract.kubernetes_by_documents:
        yield resolver.document(subject)
    if contract.hardens_by_document:
        yield from (make(subject) for make in _HARDENING)
    if contract.names_by_document:
        yield hostname(subject.node.name)
    if contract.kubernetes_by_documents:
        yield from (make(subject) for make in _KUBERNETES)
        yield from (make(subject) for make in _CONTROL_PLANE if subject.leads)
