"""A cluster's machines and endpoint, as simulated ones."""

from __future__ import annotations

from prov_sim.settings import SimNodeOptions, SimSettings, checked_delivery, settings_of, size_of
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
    Value,
    written,
)

DISK = "/dev/vda"


def endpoint(part: Slice) -> Endpoint:
    """A balancer in front of the cluster's control planes."""
    address = Address("sim.balancer", "api")
    props = {"name": "api", "group": part.topology.cluster}
    return Endpoint((Resource(address, part.instance, props),), Ref(address, "host"))


def design(part: Slice, boot: BootRefs) -> Design:
    """One machine per node; it gets its configuration with its birth or through the maintenance API."""
    settings = settings_of(part.settings)
    machines = {node.name: _machine(node, settings) for node in part.nodes}
    resources = tuple(_resource(node, machines[node.name], part, settings, boot) for node in part.nodes)
    return Design(resources, machines)


def _machine(node: Node, settings: SimSettings) -> Machine:
    address = Address("sim.machine", node.name)
    options = _options(node)
    delivery = checked_delivery(options.delivery or settings.delivery)
    disk = DISK if delivery == "api" else None
    disks = (DISK, *options.extra_disks)
    return Machine(address, Ref(address, "host"), Ref(address, "id"), delivery, disk, disks=disks, wipe=options.wipe)


def _resource(node: Node, machine: Machine, part: Slice, settings: SimSettings, boot: BootRefs) -> Resource:
    size, born_with_config = size_of(node.size), machine.delivery == "user_data"
    props: dict[str, Value] = {
        "name": node.name,
        "group": part.topology.cluster,
        "role": node.role,
        "cpus": size.cpus,
        "memory_mib": size.memory_mib,
        "zone": node.zone,
        "image": boot.version,
        "platform": "nocloud" if born_with_config else "metal",
        "user_data": boot.config(node, machine) if born_with_config else None,
        "time_scale": settings.time_scale,
        "seed": settings.seed,
    }
    if extra := _options(node).extra_disks:
        props["extra_disks"] = extra
    return Resource(machine.address, part.instance, props)


def _options(node: Node) -> SimNodeOptions:
    def wrong(detail: str) -> ProvError:
        return ProvError(
            "a pool option of the sim provider is wrong",
            detail=f"{node.pool}: {detail}",
            remedy="correct the pool; the sim README lists its options",
        )

    return written(SimNodeOptions, node.options, wrong)
