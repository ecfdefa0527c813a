"""The machine service: configuration, services, reboot, reset."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf import empty_pb2
from grpclib.client import Channel

from provisioner.talos.api._wire import machine_grpc, machine_pb2
from provisioner.talos.api.access import Applied, Service, Wipe

_WIPED = ("STATE", "EPHEMERAL")
"""Partitions a reset wipes: configuration and data. Wiping all would take the boot loader along."""


async def apply(channel: Channel, text: str) -> Applied:
    """Applies a whole configuration in mode AUTO: until 1.13 the machine restarts itself where it must.

    From 1.14 it never does, see `config.immediate`.

    REBOOT is the enum's zero, which never travels: an answer without a mode means a reboot.
    """
    mode = machine_pb2.ApplyConfigurationRequest.AUTO
    request = machine_pb2.ApplyConfigurationRequest(data=text.encode(), mode=mode)
    answer = await machine_grpc.MachineServiceStub(channel).ApplyConfiguration(request)
    resolved = {message.mode for message in answer.messages}
    return Applied(reboots=machine_pb2.ApplyConfigurationRequest.REBOOT in resolved)


async def bootstrap(channel: Channel) -> None:
    """Starts a new etcd with this machine as its only member."""
    await machine_grpc.MachineServiceStub(channel).Bootstrap(machine_pb2.BootstrapRequest())


async def reboot(channel: Channel) -> None:
    """Begins an orderly reboot; the answer comes before it."""
    await machine_grpc.MachineServiceStub(channel).Reboot(machine_pb2.RebootRequest())


async def reset(channel: Channel, *, graceful: bool, reboot: bool, wipe: Wipe) -> None:
    """Begins to wipe configuration and data; what is left boots again.

    Without partitions the whole disk goes that Talos is on. ALL is the mode in which other disks may be named.
    """
    labels = () if wipe.system else _WIPED
    request = machine_pb2.ResetRequest(
        graceful=graceful,
        reboot=reboot,
        system_partitions_to_wipe=[machine_pb2.ResetPartitionSpec(label=label, wipe=True) for label in labels],
        user_disks_to_wipe=wipe.disks,
        mode=machine_pb2.ResetRequest.ALL,
    )
    await machine_grpc.MachineServiceStub(channel).Reset(request)


async def services(channel: Channel) -> Mapping[str, Service]:
    """The services by id. One that nobody checks counts as healthy while it runs."""
    answer = await machine_grpc.MachineServiceStub(channel).ServiceList(empty_pb2.Empty())
    return {
        item.id: Service(item.state, item.health.healthy or item.health.unknown)
        for message in answer.messages
        for item in message.services
    }


async def version(channel: Channel) -> str:
    """The Talos release, such as `v1.13.9`."""
    answer = await machine_grpc.MachineServiceStub(channel).Version(empty_pb2.Empty())
    return next((message.version.tag for message in answer.messages), "")
