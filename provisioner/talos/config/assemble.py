"""The complete configuration of one node.

It has the shape that Talos 1.12 and 1.13 generate themselves, with two differences: the node is named by us,
so that its name in Kubernetes is its name here, and certificates are good for the endpoint's host.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from provisioner.sdk import Node, Topology, Value, strip_origins
from provisioner.talos.config.cluster import cluster
from provisioner.talos.config.documents.hostname import KIND as HOSTNAME
from provisioner.talos.config.documents.hostname import hostname
from provisioner.talos.config.machine import machine
from provisioner.talos.config.names import good_for
from provisioner.talos.config.patch import PatchError, merge
from provisioner.talos.config.redact import mark_secrets
from provisioner.talos.config.twins import refuse_twins
from provisioner.talos.support import require


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
    """The node's documents, the root first, with its patches applied in order.

    endpoint      of the Kubernetes API: a host or a URL, or a reference to a host
    install_disk  None where the image boots in place
    platform      as Talos names the place, such as `aws`
    secrets       a leaf for a path in the bundle's tree, such as `certs.os.crt`
    names         what the node's certificates have to be good for besides the endpoint and its own addresses

    The shape is that of `topology.talos.contract`. Raises UnsupportedTalos for a contract unknown here,
    EndpointError for an endpoint nothing can be made of, PatchError for a patch that does not fit.
    """
    require(topology.talos.contract)
    root: dict[str, Value] = {
        "version": "v1alpha1",
        "debug": False,
        "persist": True,
        "machine": machine(
            node, topology.talos, endpoint=endpoint, install_disk=install_disk, platform=platform, secrets=secrets
        ),
        "cluster": cluster(node, topology, endpoint=endpoint, secrets=secrets),
    }
    result: tuple[Mapping[str, Value], ...] = (root, hostname(node.name))
    for patch in (*good_for(names, node, topology.talos.contract), *node.patches):
        result = merge(result, patch)
    _check_name(node, result)
    refuse_twins(node.name, result)
    return mark_secrets(result)  # a patch may bring a secret written out, such as a registry's password


def _check_name(node: Node, result: tuple[Mapping[str, Value], ...]) -> None:
    """Raises PatchError where a patch has renamed the node: under another name nobody would find it again."""
    named = next((each for each in result if strip_origins(each.get("kind")) == HOSTNAME), {})
    if strip_origins(named.get("hostname")) != node.name:
        raise PatchError(
            "a patch renames a node",
            detail=f"{node.name}: {HOSTNAME} is changed or taken out, and prov finds nodes by their name",
            remedy=f"take {HOSTNAME} out of the patch; nodes are named after their pool",
        )
