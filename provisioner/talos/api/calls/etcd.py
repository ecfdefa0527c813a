"""The etcd part of the machine service; control planes only."""

from __future__ import annotations

from grpclib.client import Channel

from provisioner.talos.api._wire import machine_grpc, machine_pb2
from provisioner.talos.api.access import Member


async def members(channel: Channel) -> tuple[Member, ...]:
    """The member list as this machine's own member has it, by id; needs no quorum."""
    request = machine_pb2.EtcdMemberListRequest(query_local=True)
    answer = await machine_grpc.MachineServiceStub(channel).EtcdMemberList(request)
    found = [
        Member(item.id, item.hostname, tuple(item.peer_urls), item.is_learner)
        for message in answer.messages
        for item in message.members
    ]
    return tuple(sorted(found, key=lambda member: member.id))


async def remove(channel: Channel, member_id: int) -> None:
    """Takes a member out by id. etcd itself refuses what would cost the quorum."""
    request = machine_pb2.EtcdRemoveMemberByIDRequest(member_id=member_id)
    await machine_grpc.MachineServiceStub(channel).EtcdRemoveMemberByID(request)
