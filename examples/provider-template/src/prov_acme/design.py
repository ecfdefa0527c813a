"""A cluster's nodes as disks and machines, and an address for its Kubernetes API.

Pure: the same slice gives the same design. What a node becomes depends on that node only, so whoever joins or leaves
changes nothing about the others.
"""

from __future__ import annotations

import hashlib

from prov_acme.settings import DEFAULT_SIZE, NodeOptions
from provisioner.sdk import (
    Address,
    BootRefs,
    Design,
    Endpoint,
    Machine,
    Node,
    ProvError,
    Ref,
    Resource,
    Slice,
    written,
)

LONGEST = 32
"""How many characters Acme takes for a name."""


def endpoint(part: Slice) -> Endpoint:
    """A fixed address."""
    address = Address("acme.address", "api")
    props = {"name": remote_name(part.topology.cluster, "api")}
    return Endpoint((Resource(address, part.instance, props),), Ref(address, "host"))


def design(part: Slice, boot: BootRefs) -> Design:
    """A disk and a machine for each node."""
    machines = {node.name: _machine(node) for node in part.nodes}
    resources = tuple(resource for node in part.nodes for resource in _resources(node, part, boot))
    return Design(resources, machines)


def remote_name(cluster: str, name: str) -> str:
    """`cluster-name`, cut so that it fits and names that differ still do."""
    whole = f"{cluster}-{name}"
    if len(whole) <= LONGEST:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:8]
    return f"{whole[: LONGEST - 9]}-{digest}"


def _machine(node: Node) -> Machine:
    address = Address("acme.machine", node.name)
    return Machine(address, Ref(address, "host"), Ref(address, "id"), "user_data")


def _resources(node: Node, part: Slice, boot: BootRefs) -> tuple[Resource, Resource]:
    name, disk = remote_name(part.topology.cluster, node.name), Address("acme.disk", node.name)
    labels = {"cluster": part.topology.cluster, "pool": node.pool}
    return (
        Resource(disk, part.instance, {"name": name, "size_gib": _options(node).disk_gib, "labels": labels}),
        Resource(
            Address("acme.machine", node.name),
            part.instance,
            {
                "name": name,
                "size": node.size or DEFAULT_SIZE,
                "disk": Ref(disk, "id"),
                "image": f"talos-{boot.version}",
                "user_data": boot.config(node, _machine(node)),
                "labels": labels,
            },
        ),
    )


def _options(node: Node) -> NodeOptions:
    def wrong(detail: str) -> ProvError:
        return ProvError("a pool option of Acme is wrong", detail=f"{node.pool}: {detail}", remedy="correct the pool")

    return written(NodeOptions, node.options, wrong)
