"""A cluster's nodes as hosts of an inventory.

The media way only: each node's configuration travels on a disc of its own, through the BMC that the operator vouches
for, so no secret goes to a machine that merely says who it is.
"""

from __future__ import annotations

from prov_metal.bmc.address import parse
from prov_metal.serve import place
from prov_metal.settings import HostRow, MetalSettings, hosts_of, settings_of
from prov_metal.ways.known import unknown, usual
from provisioner.sdk import Address, BootRefs, Design, Machine, Node, ProvError, Ref, Resource, Slice, Value

ARCH = "amd64"


def design(part: Slice, boot: BootRefs) -> Design:
    """One host per node, which `claim` has chosen."""
    settings = settings_of(part.settings)
    hosts = hosts_of(settings)
    place(settings.serve)  # before any host is switched off
    machines = {node.name: _machine(node, hosts[node.claim], settings) for node in part.nodes}
    resources = tuple(
        Resource(
            machines[node.name].address,
            part.instance,
            _props(node, hosts[node.claim], machines[node.name], settings, boot),
        )
        for node in part.nodes
    )
    return Design(resources, machines)


def _machine(node: Node, row: HostRow, settings: MetalSettings) -> Machine:
    address = Address("metal.host", node.name)
    parse(row.bmc)
    if wrong := unknown((*row.boot, *settings.boot)):
        raise ProvError(
            "a host of the inventory is wrong", detail=f"{node.claim}: boot: {wrong}", remedy="correct `boot`"
        )
    return Machine(address, Ref(address, "host"), Ref(address, "id"), "user_data", row.disk)


def _props(node: Node, row: HostRow, machine: Machine, settings: MetalSettings, boot: BootRefs) -> dict[str, Value]:
    return {
        "host": node.claim,
        "address": row.address,
        "bmc": row.bmc,
        "username": row.username or settings.username,
        "password": row.password or settings.password,
        "fingerprint": row.fingerprint,
        "verify": row.verify,
        "uuid": row.uuid,
        "serial": row.serial,
        "image": settings.image or boot.artifact("metal", ARCH, "iso"),
        "user_data": boot.config(node, machine),
        "authority": boot.authority,
        "authority_key": boot.authority_key,
        "boot": row.boot or settings.boot or usual(row.bmc),
        "macs": tuple(mac.lower().replace("-", ":") for mac in row.macs),
    }
