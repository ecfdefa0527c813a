"""The complete configuration of one node.

It has the shape that Talos of the cluster's contract generates itself, with two differences: the node is named
by us, so that its name in Kubernetes is its name here, and certificates are good for the endpoint's host.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from provisioner.sdk import Node, Topology, Value
from provisioner.talos.config.cluster import cluster
from provisioner.talos.config.documents.hostname import hostname_in
from provisioner.talos.config.generated.order import typed_documents
from provisioner.talos.config.machine import machine
from provisioner.talos.config.names import good_for
from provisioner.talos.config.patch import PatchError, merge
from provisioner.talos.config.redact import mark_secrets
from provisioner.talos.config.settings import KUBERNETES_SETTINGS, MACHINE_SETTINGS
from provisioner.talos.config.subject import Subject
from provisioner.talos.config.twins import refuse_twins
from provisioner.talos.settings.section import Target
from provisioner.talos.support import require
from provisioner.talos.versions import Contract


def documents(
    node: Node,
    topology: Topology,
    *,
    endpoint: Value,
    install_disk: str | None,
    secrets: Callable[[str], Value],
    platform: str = "metal",
    names: tuple[Value, ...] = (),
) -> tuple[Mapping[str, Value], ...]:
    """The node's documents, the root first, with its settings and then its patches applied in order.

    endpoint      of the Kubernetes API: a host or a URL, or a reference to a host
    install_disk  None where the image boots in place
    platform      as Talos names the place, such as `aws`
    secrets       a leaf for a path in the bundle's tree, such as `certs.os.crt`
    names         what the node's certificates have to be good for besides the endpoint and its own addresses

    The shape is that of `topology.talos.contract`. Raises UnsupportedTalos for a contract unknown here,
    EndpointError for an endpoint nothing can be made of, PatchError for a patch that does not fit.
    """
    require(topology.talos.contract)
    subject = Subject(node, topology, endpoint, install_disk, platform, secrets)
    result: tuple[Mapping[str, Value], ...] = (_root(subject), *typed_documents(subject))
    target = Target(Contract.parse(topology.talos.contract), node.role == "controlplane", install_disk is not None)
    settings = (
        *KUBERNETES_SETTINGS.patches(topology.kubernetes, target),
        *MACHINE_SETTINGS.patches(node.settings, target),
    )
    for patch in (*good_for(names, node, topology.talos.contract), *settings, *node.patches):
        result = merge(result, patch)
    _check_name(node, result)
    refuse_twins(node.name, result)
    return mark_secrets(result)  # a patch may bring a secret written out, such as a registry's password


def _root(subject: Subject) -> dict[str, Value]:
    return {
        "version": "v1alpha1",
        "debug": False,
        "persist": True,
        "machine": machine(subject),
        "cluster": cluster(subject),
    }


def _check_name(node: Node, result: tuple[Mapping[str, Value], ...]) -> None:
    """Raises PatchError where a patch has renamed the node: under another name nobody would find it again."""
    if hostname_in(result) != node.name:
        raise PatchError(
            "a patch renames a node",
            detail=f"{node.name}: its hostname is changed or taken out, and prov finds nodes by their name",
            remedy="take the hostname out of the patch; nodes are named after their pool",
        )
