"""A cluster's nodes as machines of EC2, with all that is around them.

Pure: the same slice gives the same design. What a node becomes depends on that node only, so whoever joins or leaves
changes nothing about the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import evolve, frozen

from prov_aws.design_access import Access, access, let_in
from prov_aws.design_balancer import endpoint, target_groups
from prov_aws.design_images import Images
from prov_aws.design_network import Maker, Network, network_of, zone_of
from prov_aws.names import arch_of, cut
from prov_aws.settings import (
    AwsSettings,
    BalancerWish,
    NetworkWish,
    NodeOptions,
    Volume,
    options_of,
    settings_of,
    wish,
    wrong,
)
from provisioner.sdk import Address, BootRefs, Design, Machine, Node, Ref, Resource, Slice, Value, refs

DEFAULT_SIZE = "m7i.large"
_LONGEST = 255
_PARTITIONS = 3
_ROOT_GIB = 20
"""Of the system disk, where the file says nothing; an image by id says it itself."""
_OF_ROOT = ("size_gib", "device")
"""What is said of the system disk in properties of its own."""
_LOOK_UPS = frozenset({"aws.existing_network", "aws.existing_subnet", "aws.published_image"})
_STRATEGIES = ("spread", "cluster", "partition")

__all__ = ["design", "endpoint"]


def design(part: Slice, boot: BootRefs) -> Design:
    """Network, groups, images and machines."""
    settings = settings_of(part.settings)
    network = network_of(part, settings)
    groups = access(part, settings, network)
    targets = target_groups(part, settings, network)
    images = Images(part, settings, boot)
    makers = [_Node(node, part, settings, network, groups, targets) for node in part.nodes]
    resources = [resource for maker in makers for resource in maker.resources(images, boot)]
    placed = {group.address: group for maker in makers for group in maker.placement()}
    seen = _seen_outside(part, settings, makers)
    everything = (
        *network.resources,
        *groups.resources,
        *targets,
        *images.resources,
        *placed.values(),
        *resources,
        *(let_in(part, settings, seen) if seen else ()),
    )
    gate = _types(part, settings, makers)
    return Design((gate, *_behind(gate.address, everything)), {maker.node.name: maker.machine() for maker in makers})


@frozen
class _Node:
    """One node, and all that its machine depends on."""

    node: Node
    part: Slice
    settings: AwsSettings
    network: Network
    groups: Access
    targets: tuple[Resource, ...]

    @property
    def options(self) -> NodeOptions:
        return options_of(self.node.options, f"pools.{self.node.pool}")

    @property
    def type(self) -> str:
        return self.node.size or DEFAULT_SIZE

    @property
    def address(self) -> Address:
        return Address("aws.machine", self.node.name)

    @property
    def elastic(self) -> Address | None:
        """The address it keeps for life."""
        return Address("aws.elastic_ip", self.node.name) if self.options.elastic_ip else None

    @property
    def public(self) -> Ref:
        """Its public address."""
        return Ref(self.elastic, "host") if self.elastic else Ref(self.address, "public_ip")

    def machine(self) -> Machine:
        private = self.settings.dialled == "private"
        host = Ref(self.address, "private_ip") if private else self.public
        names = (Ref(self.elastic, "host"),) if self.elastic else ()
        return Machine(self.address, host, Ref(self.address, "id"), "user_data", platform="aws", names=names)

    def resources(self, images: Images, boot: BootRefs) -> tuple[Resource, ...]:
        """The machine, and its address where it has one."""
        maker = Maker(self.part.instance, self.part.topology.cluster, {**self.settings.tags, **self.options.tags})
        ways = self.network.ways_of(zone_of(self.node))
        machine = maker.resource("aws.machine", self.node.name, self._props(images, boot), *ways)
        name = cut(f"{self.part.topology.cluster}-{self.node.name}", _LONGEST)
        machine = evolve(machine, props={**machine.props, "name": name})
        disks = tuple(self._disk(maker, disk) for disk in self._kept())
        return (*((maker.resource("aws.elastic_ip", self.node.name, {}),) if self.elastic else ()), *disks, machine)

    def _kept(self) -> tuple[Volume, ...]:
        """The disks that outlive the machine."""
        found = (_volume(one, f"pools.{self.node.pool}.volumes") for one in self.options.volumes)
        return tuple(one for one in found if one.keep)

    def _disk(self, maker: Maker, disk: Volume) -> Resource:
        if not disk.size_gib or not disk.device:
            raise wrong(f"pools.{self.node.pool}.volumes: a disk with `keep` needs `device` and `size_gib`")
        props: dict[str, Value] = {
            "zone": zone_of(self.node),
            "size_gib": disk.size_gib,
            "type": disk.type,
            "iops": disk.iops,
            "throughput": disk.throughput,
            "encrypted": disk.encrypted,
            "key": disk.key,
            "snapshot": disk.snapshot,
        }
        return maker.resource("aws.volume", _disk_name(self.node, disk), props)

    def placement(self) -> tuple[Resource, ...]:
        """The placement group of its pool, where it is made."""
        if self.options.placement not in _STRATEGIES:
            return ()
        maker = Maker(self.part.instance, self.part.topology.cluster, self.settings.tags)
        name = f"{self.part.instance}-{self.node.pool}"
        partitions = _PARTITIONS if self.options.placement == "partition" else 0
        props: dict[str, Value] = {"strategy": self.options.placement, "partitions": partitions}
        return (maker.resource("aws.placement_group", name, props),)

    def _props(self, images: Images, boot: BootRefs) -> dict[str, Value]:
        node, options = self.node, self.options
        if options.spot and node.role == "controlplane":
            raise wrong(f"pools.{node.pool}: spot is for workers; AWS may take such machines back at any time")
        image, type_ = images.of(node, options), self.type
        role = self.groups.control if node.role == "controlplane" else self.groups.workers
        root = _volume(options.root, f"pools.{node.pool}.root")
        return {
            "type": type_,
            "arch": "arm64" if (options.arch or arch_of(type_)) == "arm64" else "",
            "image": image,
            "subnet": self.network.nodes[zone_of(node)],
            "security_groups": (self.groups.cluster, role, *options.security_groups),
            "public": self.settings.nodes == "public" and not self.elastic,
            "ipv6": self.settings.ipv6,
            "address": Ref(self.elastic, "id") if self.elastic else "",
            "targets": self._targets(options),
            "user_data": boot.config(node, self.machine()),
            "root_gib": root.size_gib or (0 if isinstance(image, str) else _ROOT_GIB),
            "root": {name: value for name, value in options.root.items() if name not in _OF_ROOT},
            **({"root_device": root.device} if root.device else {}),
            "volumes": tuple(one for one in options.volumes if not one.get("keep")),
            "disks": {disk.device: Ref(Address("aws.volume", _disk_name(node, disk)), "id") for disk in self._kept()},
            "profile": options.profile,
            "group": self._group(options),
            "spot": bool(options.spot),
            "spot_type": type_ if options.spot else "",
            "spot_price": float(options.spot) if not isinstance(options.spot, bool) else 0.0,
            "hop_limit": options.hop_limit,
        }

    def _targets(self, options: NodeOptions) -> tuple[Value, ...]:
        if self.node.role != "controlplane":
            return tuple(options.targets)
        return (*(Ref(group.address, "id") for group in self.targets), *options.targets)

    def _group(self, options: NodeOptions) -> Value:
        made = self.placement()
        return Ref(made[0].address, "group") if made else options.placement


def _types(part: Slice, settings: AwsSettings, makers: Iterable[_Node]) -> Resource:
    """The condition that EC2 has the machines that are wanted; a subnet that exists may be on an Outpost."""
    exists = wish(NetworkWish, settings.network, "network").exists
    wanted: dict[str, set[str]] = {}
    for maker in makers:
        wanted.setdefault(maker.type, set()).update(() if exists else (zone_of(maker.node),))
    types = {type_: tuple(sorted(zones)) for type_, zones in sorted(wanted.items())}
    return Resource(Address("aws.machine_types", part.instance), part.instance, {"types": types})


def _behind(gate: Address, resources: Sequence[Resource]) -> Iterator[Resource]:
    """What is made of these and waits for nothing else that is made waits for the gate."""
    made = {resource.address: resource for resource in resources if resource.address.kind not in _LOOK_UPS}
    for resource in resources:
        needed = (*resource.after, *(ref.to for ref in refs(dict(resource.props))))
        first = resource.address in made and made.keys().isdisjoint(needed)
        yield evolve(resource, after=(*resource.after, gate)) if first else resource


def _disk_name(node: Node, disk: Volume) -> str:
    """Such as `workers-1-sdf`."""
    return f"{node.name}-{disk.device.rpartition('/')[2]}"


def _volume(given: Mapping[str, Value], what: str) -> Volume:
    volume: Volume = wish(Volume, given, what)
    return volume


def _seen_outside(part: Slice, settings: AwsSettings, makers: list[_Node]) -> dict[str, Value]:
    """The public addresses of nodes that have one and reach a public balancer from it."""
    wanted: BalancerWish = wish(BalancerWish, settings.balancer, "balancer")
    if part.topology.endpoint.text != "auto" or settings.nodes != "public" or not wanted.public:
        return {}
    return {maker.node.name: maker.public for maker in makers}
