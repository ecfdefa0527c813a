"""The COSI State service of one machine: its resources, read-only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import yaml
from attrs import frozen
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from prov_sim.machine.server import ADMIN, roles
from prov_sim.machine.services import services, unmet
from provisioner.talos.api._wire import cosi_pb2 as wire
from provisioner.talos.api._wire.cosi_grpc import StateBase

if TYPE_CHECKING:
    from prov_sim.machine.machine import Machine
    from prov_sim.machine.order import Peer

AnyStream = Stream[Any, Any]
Specs = Mapping[str, Any]


@frozen
class Kind:
    """A resource type: where it lives, who may read it, and its objects by id."""

    namespace: str
    specs: Callable[[Machine], Specs]
    sensitive: bool = False


class StateService(StateBase):
    """Get and List. What a machine does not know of is refused the way Talos refuses it."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    async def Get(self, stream: AnyStream) -> None:
        request = await self._receive(stream, "Get")
        specs = self._specs(stream, request)
        if request.id not in specs:
            raise GRPCError(
                Status.NOT_FOUND, f"resource {request.type}({request.namespace}/{request.id}) doesn't exist"
            )
        await stream.send_message(wire.GetResponse(resource=self._resource(request, request.id, specs[request.id])))

    async def List(self, stream: AnyStream) -> None:
        request = await self._receive(stream, "List")
        for name, spec in sorted(self._specs(stream, request).items()):
            await stream.send_message(wire.ListResponse(resource=self._resource(request, name, spec)))

    async def _receive(self, stream: AnyStream, method: str) -> Any:
        self._machine.world.count(method)
        request = await stream.recv_message()
        assert request is not None
        return request

    def _specs(self, stream: AnyStream, request: Any) -> Specs:
        kind = KINDS.get(request.type)
        if kind is None or (kind.sensitive and ADMIN not in self._roles(stream)):
            raise GRPCError(Status.PERMISSION_DENIED, "not authorized")
        return kind.specs(self._machine) if request.namespace == kind.namespace else {}

    def _roles(self, stream: AnyStream) -> frozenset[str]:
        return roles(stream.peer.cert()) if self._machine.active is not None else frozenset()

    def _resource(self, request: Any, name: str, spec: Any) -> wire.Resource:
        version = self._machine.config_version if request.type == MACHINE_CONFIGS else self._machine.boots
        return wire.Resource(
            metadata=wire.Metadata(
                namespace=request.namespace, type=request.type, id=name, version=str(version), phase="running"
            ),
            spec=wire.Spec(yaml_spec=yaml.dump(spec, Dumper=yaml.CSafeDumper, sort_keys=False)),
        )


def _machine_status(machine: Machine) -> Specs:
    conditions = [{"name": name, "reason": reason} for name, reason in unmet(machine)]
    return {"machine": {"stage": machine.stage, "status": {"ready": not conditions, "unmetConditions": conditions}}}


def _machine_configs(machine: Machine) -> Specs:
    found = {"v1alpha1": machine.active, "persistent": machine.disk.config}
    return {name: config.text for name, config in found.items() if config is not None}


def _members(machine: Machine) -> Specs:
    if machine.active is None or not machine.active.discovers:
        return {}
    return {peer.hostname: _member(peer) for peer in machine.world.peers(machine.active)}


def _member(machine: Peer) -> dict[str, Any]:
    member: dict[str, Any] = {
        "nodeId": machine.id,
        "addresses": [machine.address],
        "hostname": machine.hostname,
        "machineType": "controlplane" if machine.is_control_plane else "worker",
        "operatingSystem": machine.operating_system,
    }
    return member | {"controlPlane": {"apiServerPort": 6443}} if machine.is_control_plane else member


def _machine_type(machine: Machine) -> Specs:
    return {"machine-type": machine.active.type} if machine.active is not None else {}


def _services(machine: Machine) -> Specs:
    return {
        service.id: {"running": service.state == "Running", "healthy": service.healthy, "unknown": False}
        for service in services(machine)
        if service.state == "Running"
    }


def _system_disks(machine: Machine) -> Specs:
    if not machine.disk.installed:
        return {}
    return {"system-disk": {"diskID": _name(machine.order.disk), "devPath": machine.order.disk}}


def _disks(machine: Machine) -> Specs:
    return {
        _name(path): {
            "size": 50 << 30,
            "ioSize": 512,
            "sectorSize": 512,
            "readonly": False,
            "model": "Simulated disk",
            "serial": f"{machine.id}-{_name(path)}",
            "transport": "virtio",
            "rotational": False,
            "cdrom": False,
            "devPath": path,
            "prettySize": "54 GB",
        }
        for path in (machine.order.disk, *machine.order.extra_disks)
    }


def _volumes(machine: Machine) -> Specs:
    """The disks, and the partitions on those that have any, each with its disk as the parent."""
    system = SYSTEM_PARTITIONS if machine.disk.installed else ()
    parts = {machine.order.disk: system} | dict.fromkeys(sorted(machine.disk.filled), ("u-data",))
    found: dict[str, Any] = {}
    for path in (machine.order.disk, *machine.order.extra_disks):
        labels = parts.get(path, ())
        found[_name(path)] = {"type": "disk", "devPath": path, "name": "gpt" if labels else "", "size": 50 << 30}
        for number, label in enumerate(labels, 1):
            part = {"type": "partition", "parent": _name(path), "partitionLabel": label, "partitionIndex": number}
            found[f"{_name(path)}{number}"] = {**part, "devPath": f"{path}{number}", "name": "xfs", "size": 1 << 30}
    return found


def _name(path: str) -> str:
    """`vda` of `/dev/vda`, which is what Talos calls a device."""
    return path.rpartition("/")[2]


def _etcd_members(machine: Machine) -> Specs:
    data = machine.disk.etcd
    return {"local": {"memberID": f"{data.member.id:016x}"}} if data is not None and machine.etcd_state else {}


def _hostname(machine: Machine) -> Specs:
    name, _, domain = machine.hostname.partition(".")
    return {"hostname": {"hostname": name, "domainname": domain}}


def _system(machine: Machine) -> Specs:
    hardware = machine.hardware
    made_by = {"manufacturer": machine.system, "productName": machine.build}
    return {"systeminformation": made_by | {"serialnumber": hardware.serial, "uuid": hardware.uuid}}


def _links(machine: Machine) -> Specs:
    return {
        name: {"type": "ether", "hardwareAddr": mac, "permanentAddr": mac, "kind": ""}
        for name, mac in machine.hardware.macs.items()
    }


SYSTEM_PARTITIONS: Final = ("EFI", "META", "STATE", "EPHEMERAL")
MACHINE_CONFIGS: Final = "MachineConfigs.config.talos.dev"

KINDS: Final[Mapping[str, Kind]] = {
    "BootIDs.runtime.talos.dev": Kind("runtime", lambda machine: {"boot-id": {"bootID": machine.boot_id}}),
    "Diagnostics.runtime.talos.dev": Kind("runtime", lambda machine: {}),
    "Disks.block.talos.dev": Kind("runtime", _disks),
    "DiscoveredVolumes.block.talos.dev": Kind("runtime", _volumes),
    "EtcdMembers.etcd.talos.dev": Kind("etcd", _etcd_members),
    "HostnameStatuses.net.talos.dev": Kind("network", _hostname),
    "LinkStatuses.net.talos.dev": Kind("network", _links),
    MACHINE_CONFIGS: Kind("config", _machine_configs, sensitive=True),
    "MachineStatuses.runtime.talos.dev": Kind("runtime", _machine_status),
    "MachineTypes.config.talos.dev": Kind("config", _machine_type),
    "Members.cluster.talos.dev": Kind("cluster", _members),
    "Services.v1alpha1.talos.dev": Kind("runtime", _services),
    "SystemDisks.block.talos.dev": Kind("runtime", _system_disks),
    "SystemInformations.hardware.talos.dev": Kind("hardware", _system),
    "Versions.runtime.talos.dev": Kind(
        "runtime", lambda machine: {"version": {"version": machine.order.image, "name": machine.system}}
    ),
}
