"""The complete configuration of one node.

It has the shape that Talos of the cluster's contract generates itself, with two differences: the node is named
by us, so that its name in Kubernetes is its name here, and certificates are good for the endpoint's host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from provisioner.sdk import Node, Topology, Value
from provisioner.talos.config.cluster import cluster
from provisioner.talos.config.documents.hostname import hostname_in
from provisioner.talos.config.generated.order import typed_documents
from provisioner.talos.config.machine import machine
from provisioner.talos.config.names import good_for
from provisioner.talos.config.patch import Document, PatchError, merge
from provisioner.talos.config.redact import mark_secrets
from provisioner.talos.config.settings import KUBERNETES_SETTINGS, MACHINE_SETTINGS
from provisioner.talos.config.subject import Subject
from provisioner.talos.config.twins import refuse_twins
from provisioner.talos.settings.section import Target
from provisioner.talos.support import require
from provisioner.talos.versions import Contract

Documents: TypeAlias = tuple[Document, ...]


def documents(
    node: Node,
    topology: Topology,
    *,
    endpoint: Value,
    install_disk: str | None,
    secrets: Callable[[str], Value],
    platform: str = "metal",
    names: tuple[Value, ...] = (),
) -> Documents:
    """The node's documents, the root first, with its settings and then its patches applied in order.

    endpoint      of the Kubernetes API: a host or a URL, or a reference to a host
    install_disk  None where the image boots in place
    platform      as Talos names the place, such as `aws`
    secrets       a leaf for a path in the bundle's tree, such as `certs.os.crt`
    names         what the node's certificates have to be good for besides the endpoint and its own addresses

    The shape is that of `topology.talos.contract`. Raises UnsupportedTalos for a contract unknown here,
    EndpointError for an endpoint nothing can be made of, PatchError for a patch that does not fit.
    """
    subject = Subject(node, topology, endpoint, install_disk, platform, secrets)
    *_, result = _grown(subject, names)
    _check_name(node, result)
    refuse_twins(node.name, result)
    return mark_secrets(result)  # a patch may bring a secret written out, such as a registry's password


def stages(
    node: Node,
    topology: Topology,
    *,
    endpoint: Value,
    install_disk: str | None,
    secrets: Callable[[str], Value],
    platform: str = "metal",
    names: tuple[Value, ...] = (),
) -> tuple[Documents, ...]:
    """The node's documents as they grow: without its settings, with them, and then after each of its patches.

    Arguments as of `documents`, and so are the errors; what is wrong in between only, and mended later, is none.
    """
    subject = Subject(node, topology, endpoint, install_disk, platform, secrets)
    return tuple(mark_secrets(stage) for stage in _grown(subject, names))


def _grown(subject: Subject, names: tuple[Value, ...]) -> Iterator[Documents]:
    """One stage after the other; the last one is the whole configuration."""
    node, contract = subject.node, subject.topology.talos.contract
    require(contract)
    result: Documents = (_root(subject), *typed_documents(subject))
    target = Target(Contract.parse(contract), node.role == "controlplane", subject.install_disk is not None)
    settled = KUBERNETES_SETTINGS.patches(subject.topology.kubernetes, target)
    result = _merged(result, (*good_for(names, node, contract), *settled))
    yield result
    result = _merged(result, MACHINE_SETTINGS.patches(node.settings, target))
    yield result
    for patch in node.patches:
        result = merge(result, patch)
        yield result


def _merged(result: Documents, patches: Iterable[Documents]) -> Documents:
    for patch in patches:
        result = merge(result, patch)
    return result


def _root(subject: Subject) -> dict[str, Value]:
    return {
        "version": "v1alpha1",
        "debug": False,
        "persist": True,
        "machine": machine(subject),
        "cluster": cluster(subject),
    }


def _check_name(node: Node, result: Documents) -> None:
    """Raises PatchError where a patch has renamed the node: under another name nobody would find it again."""
    if hostname_in(result) != node.name:
        raise PatchError(
            "a patch renames a node",
            detail=f"{node.name}: its hostname is changed or taken out, and prov finds nodes by their name",
            remedy="take the hostname out of the patch; nodes are named after their pool",
        )
