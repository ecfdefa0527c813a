"""Talos's part of a cluster's design: its resources around machines that others design.

secrets ──► configuration of each node ──► bootstrap ──► health
              ▲ (its machine)               (control planes only)
              │
          schematic, where images are customised, before all that boots from one
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TypedDict

from attrs import evolve, frozen

from provisioner.sdk import (
    PUBLIC_FACTORY,
    STOCK_SCHEMATIC,
    Address,
    Call,
    Ground,
    Machine,
    Node,
    Ref,
    Resource,
    Rollout,
    Sourced,
    Topology,
    Value,
    Watch,
)
from provisioner.talos.config import assemble
from provisioner.talos.config.assemble import Documents
from provisioner.talos.config.endpoint import host
from provisioner.talos.images.artifacts import artifact_url

SCHEMATIC = Address("talos.schematic", "cluster")
SECRETS = Address("talos.secrets", "cluster")
BOOTSTRAP = Address("talos.bootstrap", "cluster")
HEALTH = Address("talos.health", "cluster")
CONFIG = "talos.config"
"""The kind of which each node has one."""
QUORUM = "talos.quorum"
"""The gate before and after a control plane is away."""

_GROUPS = ("cluster", "secrets", "trustdinfo", "certs")
"""The outputs of `talos.secrets` that make up the bundle."""


def config_address(node: str) -> Address:
    """The address of a node's configuration."""
    return Address(CONFIG, node)


def secret(path: str) -> Value:
    """A leaf of the secrets bundle, such as `certs.os.crt`."""
    return Ref(SECRETS, path)


@frozen
class Boot:
    """What Talos offers to machines that are about to be designed; implements `sdk.BootRefs`."""

    topology: Topology
    endpoint: Value
    outside: Value | None = None

    @property
    def version(self) -> str:
        return self.topology.talos.version

    @property
    def schematic(self) -> str:
        return self.topology.talos.schematic

    @property
    def stock(self) -> bool:
        return self.topology.talos.stock

    @property
    def authority(self) -> Value:
        return secret("certs.os.crt")

    @property
    def authority_key(self) -> Value:
        return secret("certs.os.key")

    def artifact(self, platform: str, arch: str, form: str = "") -> str:
        return artifact_url(self.topology.talos, platform, arch, form)

    def config(self, node: Node, machine: Machine) -> Value:
        """The node's configuration as user-data: the text of the same documents that `design` delivers."""
        return Call("talos.encode", (_documents(node, self.topology, machine, self.endpoint, self.outside),))


def design(
    topology: Topology,
    machines: Mapping[str, Machine],
    endpoint: Value,
    instance: str,
    outside: Value | None = None,
) -> tuple[tuple[Resource, ...], tuple[Rollout, ...]]:
    """The Talos resources of a cluster, and the order in which they may change. Pure.

    machines   by node name, one for each node of the topology
    endpoint   of the Kubernetes API: a host or URL, or a reference to a host
    instance   the provider instance that serves the resources
    outside    where the endpoint is reached from this computer, if elsewhere
    """
    configs = tuple(
        _config(node, topology, machines[node.name], endpoint, instance, outside) for node in topology.nodes
    )
    resources = (
        Resource(SECRETS, instance, {"contract": topology.talos.contract}),
        *configs,
        _bootstrap(topology, instance),
        _health(topology, instance),
    )
    return resources, (_one_by_one(topology, machines, instance),)


def schematic(topology: Topology, instance: str) -> Resource | None:
    """What the Image Factory is told; None where it is the public one, and knows everything already."""
    talos = topology.talos
    if talos.schematic == STOCK_SCHEMATIC and talos.factory == PUBLIC_FACTORY:
        return None
    tree = json.loads(talos.recipe) if talos.recipe else {}
    extensions = tree.get("customization", {}).get("systemExtensions", {}).get("officialExtensions", ())
    props: dict[str, Value] = {
        "factory": talos.factory,
        "id": talos.schematic,
        "recipe": talos.recipe,
        "version": f"v{talos.version.removeprefix('v')}",
        "extensions": tuple(extensions),
        "overlay": tree.get("overlay", {}).get("name", ""),
    }
    return Resource(SCHEMATIC, instance, props)


def after_schematic(resources: Iterable[Resource], topology: Topology) -> tuple[Resource, ...]:
    """The resources, those that name the schematic made after it is known at the factory.

    Whatever boots from an image or installs one has its id in a property, in a URL as a rule.
    """
    return tuple(
        evolve(each, after=(*each.after, SCHEMATIC)) if _mentions(each.props, topology.talos.schematic) else each
        for each in resources
    )


def _mentions(value: Value, text: str) -> bool:
    match value:
        case str():
            return text in value
        case Sourced():
            return _mentions(value.value, text)
        case Call():
            return any(_mentions(arg, text) for arg in value.args)
        case Mapping():
            return any(_mentions(item, text) for item in value.values())
        case tuple():
            return any(_mentions(item, text) for item in value)
        case _:
            return False


def settings(topology: Topology, machines: Mapping[str, Machine], endpoint: Value) -> Mapping[str, Value]:
    """The settings of the Talos provider instance, as far as the design knows them."""
    return {
        "cluster": topology.cluster,
        "secrets": {group: secret(group) for group in _GROUPS},
        "control_planes": {node.name: machines[node.name].host for node in topology.control_planes},
        "nodes": {node.name: machines[node.name].host for node in topology.nodes},
        "endpoint": endpoint,
    }


def _config(
    node: Node, topology: Topology, machine: Machine, endpoint: Value, instance: str, outside: Value | None
) -> Resource:
    props: dict[str, Value] = {
        "node": node.name,
        "role": node.role,
        "machine": machine.id,
        "host": machine.host,
        "delivery": machine.delivery,
        **({"wipe": machine.wipe} if machine.wipe else {}),
        "documents": _documents(node, topology, machine, endpoint, outside),
    }
    return Resource(config_address(node.name), instance, props)


def stages(
    topology: Topology, machines: Mapping[str, Machine], endpoint: Value, outside: Value | None = None
) -> Mapping[str, tuple[Documents, ...]]:
    """The configuration of each node as it grows, see `assemble.stages`, by node name. Arguments as of `design`."""
    return {
        node.name: assemble.stages(node, topology, **_about(machines[node.name], endpoint, outside))
        for node in topology.nodes
    }


def _documents(
    node: Node, topology: Topology, machine: Machine, endpoint: Value, outside: Value | None
) -> tuple[Mapping[str, Value], ...]:
    return assemble.documents(node, topology, **_about(machine, endpoint, outside))


class _About(TypedDict):
    """What a configuration has from its machine and its cluster."""

    endpoint: Value
    install_disk: str | None
    platform: str
    names: tuple[Value, ...]
    secrets: Callable[[str], Value]


def _about(machine: Machine, endpoint: Value, outside: Value | None) -> _About:
    names = machine.names if outside is None else (*machine.names, host(outside))
    return {
        "endpoint": endpoint,
        "install_disk": machine.install_disk,
        "platform": machine.platform,
        "names": tuple(dict.fromkeys(names)),
        "secrets": secret,
    }


def _bootstrap(topology: Topology, instance: str) -> Resource:
    """Begins on the first control plane, once all of them can be asked whether there is etcd already."""
    names = tuple(node.name for node in topology.control_planes)
    return Resource(BOOTSTRAP, instance, {"node": names[0]}, after=tuple(map(config_address, names)))


def _health(topology: Topology, instance: str) -> Resource:
    digests: dict[str, Value] = {node.name: Ref(config_address(node.name), "digest") for node in topology.nodes}
    props: dict[str, Value] = {
        "control_planes": tuple(node.name for node in topology.control_planes),
        "workers": tuple(node.name for node in topology.workers),
        "configs": digests,
    }
    return Resource(HEALTH, instance, props, after=(BOOTSTRAP,))


def _one_by_one(topology: Topology, machines: Mapping[str, Machine], instance: str) -> Rollout:
    """Control planes change one at a time, those that the file has dropped among them.

    They are away while their machines are interrupted, so that is part of their turn: etcd has to be able to spare
    the member before, and has it back after.
    """
    names = [node.name for node in topology.control_planes]
    told = (
        "once etcd can spare it; the next one when it is back"
        if len(names) > 2
        else "etcd and the Kubernetes API are away meanwhile"
    )
    grounds = {
        config_address(name): Ground(
            machines[name].address,
            Watch(QUORUM, instance, {"node": name}),
            Watch(QUORUM, instance, {"node": name, "back": True}),
            told,
        )
        for name in names
    }
    reason = "one control plane at a time, so that etcd keeps its quorum"
    members = tuple(map(config_address, names))
    return Rollout(members, max_unavailable=1, reason=reason, where={"role": "controlplane"}, grounds=grounds)
