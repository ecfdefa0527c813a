"""A cluster's machines as virtual ones on this computer.

    qemu.capacity ─► qemu.network ─► qemu.address/NODE ─┐
        (a check)    qemu.image ───► qemu.disk/NODE ────┴► qemu.machine/NODE

The addresses of a machine are held before it is made, since its certificates have to be good for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from attrs import frozen

from prov_qemu.machine.delivery import PLATFORMS
from prov_qemu.settings import QemuNodeOptions, QemuSettings, Size, options_of, settings_of, size_of
from provisioner.sdk import Address, BootRefs, Design, Endpoint, Machine, Node, ProvError, Ref, Resource, Slice, Value

ARCH = "amd64"
_DISKS: Mapping[str, str] = {"virtio": "/dev/vda", "scsi": "/dev/sda"}


@frozen
class _Choice:
    """What was chosen for one node."""

    settings: QemuSettings
    options: QemuNodeOptions
    size: Size

    @property
    def config(self) -> str:
        return self.options.config or self.settings.config

    @property
    def boot(self) -> str:
        return self.options.boot or self.settings.boot

    def image(self, boot: BootRefs) -> tuple[str, str]:
        """Where its image comes from, and its checksum if somebody says one."""
        if self.options.image:
            return self.options.image, self.options.image_sha256
        if self.settings.image:
            return self.settings.image, self.settings.image_sha256
        return boot.artifact(PLATFORMS[self.config], ARCH, "iso" if self.boot == "iso" else ""), ""


def endpoint(part: Slice) -> Endpoint | None:
    """The address of the first control plane, which `design` holds; inside it is another one than outside."""
    ours = {node.name for node in part.nodes}
    first = next((node for node in part.topology.control_planes if node.name in ours), None)
    if first is None:
        return None
    address = _address(first)
    return Endpoint((), Ref(address, "ip"), Ref(address, "host"))


def design(part: Slice, boot: BootRefs) -> Design:
    """One machine per node, with a disk and addresses of its own."""
    settings = settings_of(part.settings)
    choices = {node.name: _choice(node, settings) for node in part.nodes}
    machines = {node.name: _machine(node, choices[node.name]) for node in part.nodes}
    resources = (
        _capacity(part, settings, choices),
        _network(part, settings),
        *_images(part, choices, boot),
        *(resource for node in part.nodes for resource in _of(node, part, choices[node.name], machines, boot)),
    )
    return Design(resources, machines)


def _choice(node: Node, settings: QemuSettings) -> _Choice:
    options = options_of(node.pool, node.options)
    choice = _Choice(settings, options, size_of(node.size, options))
    if settings.bridge and choice.config != "nocloud":
        raise ProvError(
            "machines on a bridge get their addresses with a drive for nocloud only",
            detail=f"pool {node.pool}: config is {choice.config!r}",
            remedy="say `config: nocloud`, or leave `bridge` out",
        )
    return choice


def _machine(node: Node, choice: _Choice) -> Machine:
    address = Address("qemu.machine", node.name)
    here = Ref(_address(node), "host")
    return Machine(
        address=address,
        host=Ref(address, "host"),
        id=Ref(address, "id"),
        delivery="api" if choice.config == "none" else "user_data",
        install_disk=_DISKS[choice.settings.bus] if PLATFORMS[choice.config] == "metal" else None,
        platform=PLATFORMS[choice.config],
        names=(here,),
    )


def _capacity(part: Slice, settings: QemuSettings, choices: Mapping[str, _Choice]) -> Resource:
    machines = {
        name: {
            "cpus": choice.size.cpus,
            "memory_mib": choice.size.memory_mib,
            "disk_gib": choice.size.disk_gib,
        }
        for name, choice in choices.items()
    }
    props: dict[str, Value] = {
        "cluster": part.topology.cluster,
        "machines": machines,
        "overcommit": settings.overcommit,
    }
    return Resource(_gate(part), part.instance, props)


def _network(part: Slice, settings: QemuSettings) -> Resource:
    props: dict[str, Value] = {
        "cluster": part.topology.cluster,
        "name": part.instance,
        "subnet": settings.subnet,
        "bridge": settings.bridge,
        "resolver": settings.resolver,
    }
    return Resource(Address("qemu.network", part.instance), part.instance, props, after=(_gate(part),))


def _images(part: Slice, choices: Mapping[str, _Choice], boot: BootRefs) -> Iterator[Resource]:
    """One for each image that a machine begins with."""
    found = {_image(choice, boot): choice.image(boot) for choice in choices.values()}
    for address, (source, sha256) in sorted(found.items(), key=str):
        props: dict[str, Value] = {
            "cluster": part.topology.cluster,
            "name": address.name,
            "source": source,
            "sha256": sha256,
        }
        yield Resource(address, part.instance, props, after=(_gate(part),))


def _of(
    node: Node, part: Slice, choice: _Choice, machines: Mapping[str, Machine], boot: BootRefs
) -> Iterator[Resource]:
    """What belongs to one node."""
    common: dict[str, Value] = {"cluster": part.topology.cluster, "name": node.name}
    network = Address("qemu.network", part.instance)
    yield Resource(_address(node), part.instance, {**common, "network": Ref(network, "name")})
    yield Resource(_disk(node), part.instance, {**common, **_disk_props(choice, boot)}, after=(_gate(part),))
    machine = machines[node.name]
    props: dict[str, Value] = {
        **common,
        "address": node.name,
        "ip": Ref(_address(node), "ip"),
        "host": Ref(_address(node), "host"),
        "cpus": choice.size.cpus,
        "memory_mib": choice.size.memory_mib,
        "disks": (Ref(_disk(node), "path"),),
        "medium": Ref(_image(choice, boot), "path") if choice.boot == "iso" else "",
        "bus": choice.settings.bus,
        "config": choice.config,
        "user_data": boot.config(node, machine) if machine.delivery == "user_data" else None,
        "accelerator": choice.settings.accelerator,
        "overcommit": choice.settings.overcommit,
    }
    yield Resource(machine.address, part.instance, props)


def _disk_props(choice: _Choice, boot: BootRefs) -> dict[str, Value]:
    if choice.boot == "iso":
        return {"size_gib": choice.size.disk_gib}
    backing = {"backing": Ref(_image(choice, boot), "path"), "backing_format": Ref(_image(choice, boot), "format")}
    return {"size_gib": choice.size.disk_gib, **backing}


def _gate(part: Slice) -> Address:
    return Address("qemu.capacity", part.instance)


def _address(node: Node) -> Address:
    return Address("qemu.address", node.name)


def _disk(node: Node) -> Address:
    return Address("qemu.disk", node.name)


def _image(choice: _Choice, boot: BootRefs) -> Address:
    """Named after what it is, so that machines of one image share it, and another image is another object."""
    digest = hashlib.sha256(" ".join(choice.image(boot)).encode()).hexdigest()
    return Address("qemu.image", f"{choice.boot}-{digest[:8]}")
