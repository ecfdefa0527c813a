"""A cluster's nodes as hosts of an inventory.

The provider hands each node its configuration itself, in a way that is as sure of the machine as its row asks for, so
nobody else hands it to who merely answers at the node's address. See `trust`.
"""

from __future__ import annotations

from prov_metal.bmc.address import parse
from prov_metal.boot.server import place
from prov_metal.settings import HostRow, MetalSettings, dhcp_of, hosts_of, settings_of, tls_of
from prov_metal.ways.known import unknown, usual
from provisioner.sdk import Address, BootRefs, Design, Machine, Node, ProvError, Ref, Resource, Slice, Value

ARCH = "amd64"


def design(part: Slice, boot: BootRefs) -> Design:
    """One host per node, which `claim` has chosen."""
    settings = settings_of(part.settings)
    hosts = hosts_of(settings)
    place(settings.serve, secure=tls_of(settings) is not None)  # before any host is switched off
    dhcp_of(settings)
    for node in part.nodes:
        _finds_its_configuration(hosts[node.claim], node.claim, settings, boot)
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
    if "network" in ways_of(row, settings) and not row.macs:
        raise ProvError(
            "a host that boots over the network has no network card",
            detail=f"{node.claim} is known by no `macs`",
            remedy="give the card it boots from in its row of the inventory",
        )
    return Machine(address, Ref(address, "host"), Ref(address, "id"), "provider", row.disk, wipe=row.wipe)


def _finds_its_configuration(row: HostRow, name: str, settings: MetalSettings, boot: BootRefs) -> None:
    """Raises ProvError where a disc has the configuration, and the image that nobody customised looks for none."""
    trust = row.trust or settings.trust
    if boot.stock and not settings.image and "media" in ways_of(row, settings) and trust == "media":
        raise ProvError(
            "hosts would not find their configuration",
            detail=f"{name} gets its configuration on its disc, and Talos's own image does not look there",
            remedy="add `schematic: {extra_kernel_args: ['talos.config=metal-iso']}` to `talos`, or name an image "
            "that has this kernel argument as `image` of the provider block",
        )


def ways_of(row: HostRow, settings: MetalSettings) -> tuple[str, ...]:
    """The ways in which a host is booted, in their order."""
    return row.boot or settings.boot or usual(row.bmc)


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
        "http_image": settings.http_image or boot.artifact("metal", ARCH, "uki"),
        "kernel": settings.kernel or boot.artifact("metal", ARCH, "kernel"),
        "initramfs": settings.initramfs or boot.artifact("metal", ARCH, "initramfs"),
        "cmdline": settings.cmdline or boot.artifact("metal", ARCH, "cmdline"),
        "user_data": boot.config(node, machine),
        "authority": boot.authority,
        "authority_key": boot.authority_key,
        "wipe": row.wipe,
        "boot": ways_of(row, settings),
        "disk": row.disk,
        "trust": row.trust or settings.trust,
        "console": row.console,
        "macs": tuple(mac.lower().replace("-", ":") for mac in row.macs),
    }
