"""The MachineService of one machine, as far as `prov` calls it, with the preconditions of its release."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Final

from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from prov_sim.machine.documents import BadConfig, MachineConfig
from prov_sim.machine.effects import changed, reboot_reasons
from prov_sim.machine.etcd import NoQuorum
from prov_sim.machine.order import Erasure, EtcdData
from prov_sim.machine.services import services
from prov_sim.machine.words import words
from provisioner.talos.api._wire import machine_pb2 as wire
from provisioner.talos.api._wire.machine_grpc import MachineServiceBase

if TYPE_CHECKING:
    from prov_sim.machine.machine import Machine

AnyStream = Stream[Any, Any]
Mode = wire.ApplyConfigurationRequest.Mode

NOT_SIMULATED: Final = "upgrades are not simulated"

PARTITIONS: Final = words("EFI BIOS BOOT META STATE EPHEMERAL")


class MachineService(MachineServiceBase):
    """Each method counts itself, does its work, and may lose its answer when a fault says so."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    async def ApplyConfiguration(self, stream: AnyStream) -> None:
        request = await self._begin(stream, "ApplyConfiguration")
        machine = self._machine
        if machine.stage in ("rebooting", "resetting", "installing") or machine.reboot_pending:
            raise GRPCError(Status.FAILED_PRECONDITION, "the machine is about to reboot")
        try:
            config = machine.accept(request.data)
        except BadConfig as err:
            raise GRPCError(Status.INVALID_ARGUMENT, "configuration validation failed: " + str(err)) from None
        if machine.active is None:
            await self._configure(stream, config, request)
        else:
            await self._reconfigure(stream, machine.active, config, request)

    async def Bootstrap(self, stream: AnyStream) -> None:
        await self._begin(stream, "Bootstrap")
        machine = self._machine
        config = self._control_plane("Bootstrap")
        if not config.get("cluster", "etcd", "ca", "key"):
            raise GRPCError(Status.INVALID_ARGUMENT, "etcd CA is not configured")
        if machine.disk.etcd is not None or machine.bootstrap_asked:
            raise GRPCError(Status.ALREADY_EXISTS, "etcd data directory is not empty")
        if machine.stage not in ("booting", "running") or machine.etcd_state != "Preparing":
            raise GRPCError(Status.FAILED_PRECONDITION, "bootstrap is not available yet")
        machine.bootstrap()
        await self._answer(stream, "Bootstrap", wire.BootstrapResponse(messages=[wire.Bootstrap()]))

    async def EtcdMemberList(self, stream: AnyStream) -> None:
        request = await self._begin(stream, "EtcdMemberList")
        data = self._etcd("EtcdMemberList")
        if not request.query_local and not data.etcd.healthy:
            raise GRPCError(Status.UNAVAILABLE, "etcdserver: request timed out")
        members = [
            wire.EtcdMember(
                id=member.id,
                hostname=member.name,
                peer_urls=[f"https://{member.address}:2380"],
                client_urls=[f"https://{member.address}:2379"],
                is_learner=member.learner,
            )
            for member in data.etcd.members.values()
        ]
        answer = wire.EtcdMembers(legacy_members=[member.hostname for member in members], members=members)
        await self._answer(stream, "EtcdMemberList", wire.EtcdMemberListResponse(messages=[answer]))

    async def EtcdRemoveMemberByID(self, stream: AnyStream) -> None:
        request = await self._begin(stream, "EtcdRemoveMemberByID")
        data = self._etcd("EtcdRemoveMemberByID")
        try:
            data.etcd.remove(request.member_id)
        except KeyError:
            raise GRPCError(Status.NOT_FOUND, "etcdserver: member not found") from None
        except NoQuorum as err:
            raise GRPCError(Status.UNAVAILABLE, str(err)) from None
        self._machine.announce()
        answer = wire.EtcdRemoveMemberByIDResponse(messages=[wire.EtcdRemoveMemberByID()])
        await self._answer(stream, "EtcdRemoveMemberByID", answer)

    async def Reboot(self, stream: AnyStream) -> None:
        await self._begin(stream, "Reboot")
        self._refuse_while_leaving()
        await self._answer(stream, "Reboot", wire.RebootResponse(messages=[wire.Reboot(actor_id="sim")]))
        self._machine.reboot()

    async def Reset(self, stream: AnyStream) -> None:
        request = await self._begin(stream, "Reset")
        erasure = self._erasure(request)
        if self._machine.stage in ("resetting", "rebooting"):
            raise GRPCError(Status.FAILED_PRECONDITION, f"the machine is {self._machine.stage}")
        await self._answer(stream, "Reset", wire.ResetResponse(messages=[wire.Reset(actor_id="sim")]))
        self._machine.reset(erasure, graceful=request.graceful, reboot=request.reboot)

    async def ServiceList(self, stream: AnyStream) -> None:
        await self._begin(stream, "ServiceList")
        listed = [
            wire.ServiceInfo(
                id=service.id,
                state=service.state,
                health=wire.ServiceHealth(healthy=service.healthy, last_message=service.message),
            )
            for service in services(self._machine)
        ]
        answer = wire.ServiceListResponse(messages=[wire.ServiceList(services=listed)])
        await self._answer(stream, "ServiceList", answer)

    async def Version(self, stream: AnyStream) -> None:
        await self._begin(stream, "Version")
        order = self._machine.order
        version = wire.Version(
            version=wire.VersionInfo(tag=order.image, sha=self._machine.build, os="linux", arch="amd64"),
            platform=wire.PlatformInfo(name=order.platform, mode=order.mode),
        )
        await self._answer(stream, "Version", wire.VersionResponse(messages=[version]))

    async def Shutdown(self, stream: AnyStream) -> None:
        await self._begin(stream, "Shutdown")
        self._refuse_while_leaving()
        await self._answer(stream, "Shutdown", wire.ShutdownResponse(messages=[wire.Shutdown(actor_id="sim")]))
        self._machine.shut_down()

    async def Upgrade(self, stream: AnyStream) -> None:
        request = await self._begin(stream, "Upgrade")
        self._refuse_while_leaving()
        if not request.image:
            raise GRPCError(Status.INVALID_ARGUMENT, "an image is required")
        self._moved(await self._machine.upgrade(request.image))
        answer = wire.Upgrade(ack="Upgrade request received", actor_id="sim")
        await self._answer(stream, "Upgrade", wire.UpgradeResponse(messages=[answer]))
        self._machine.reboot()

    async def Rollback(self, stream: AnyStream) -> None:
        await self._begin(stream, "Rollback")
        self._refuse_while_leaving()
        self._moved(await self._machine.roll_back())
        await self._answer(stream, "Rollback", wire.RollbackResponse(messages=[wire.Rollback()]))
        self._machine.reboot()

    def _moved(self, wrong: str) -> None:
        if wrong == NOT_SIMULATED:
            raise GRPCError(Status.UNIMPLEMENTED, wrong)
        if wrong:
            raise GRPCError(Status.FAILED_PRECONDITION, wrong)

    def _refuse_while_leaving(self) -> None:
        if self._machine.stage in ("resetting", "rebooting", "shutting down", "installing"):
            raise GRPCError(Status.FAILED_PRECONDITION, f"the machine is {self._machine.stage}")

    async def _configure(self, stream: AnyStream, config: MachineConfig, request: Any) -> None:
        """Applies in maintenance, where the machine goes on with whatever it is given."""
        unknown = () if self._machine.talos.whole_api_in_maintenance else (Mode.NO_REBOOT,)
        if request.mode in (Mode.STAGED, Mode.TRY, *unknown):
            raise GRPCError(Status.UNIMPLEMENTED, "this mode is not simulated in maintenance")
        await self._applied(stream, Mode.NO_REBOOT, "the configuration is taken at once")
        if not request.dry_run:
            self._machine.configure(config)

    async def _reconfigure(self, stream: AnyStream, old: MachineConfig, new: MachineConfig, request: Any) -> None:
        if not new.complete:
            raise GRPCError(
                Status.INVALID_ARGUMENT, "the applied machine configuration doesn't contain v1alpha1 config"
            )
        release = self._machine.talos
        mode, reasons = request.mode, reboot_reasons(changed(old, new), release)
        if mode == Mode.REBOOT and not release.reboots_by_itself:
            raise GRPCError(Status.UNIMPLEMENTED, "the REBOOT mode is not supported")
        if mode == Mode.AUTO:
            mode = Mode.REBOOT if reasons and release.reboots_by_itself else Mode.NO_REBOOT
        if mode == Mode.TRY:
            raise GRPCError(Status.UNIMPLEMENTED, "mode TRY is not simulated")
        if mode == Mode.NO_REBOOT and reasons and release.reboots_by_itself:
            raise GRPCError(
                Status.INVALID_ARGUMENT,
                "these changes need a reboot, which the mode rules out: " + ", ".join(reasons),
            )
        told = reasons and release.reboots_by_itself
        details = "needs a reboot: " + ", ".join(reasons) if told else "without a reboot"
        if request.dry_run:
            await self._applied(stream, mode, details + "\n" + _difference(old, new))
            return
        if mode == Mode.NO_REBOOT:
            self._machine.apply_live(new, waits=reasons)
        else:
            self._machine.persist(new)
        self._machine.reboot_pending = mode == Mode.REBOOT
        await self._applied(stream, mode, details)
        if mode == Mode.REBOOT:
            self._machine.reboot()

    async def _applied(self, stream: AnyStream, mode: Any, details: str) -> None:
        applied = wire.ApplyConfiguration(mode=mode, mode_details=details)
        await self._answer(stream, "ApplyConfiguration", wire.ApplyConfigurationResponse(messages=[applied]))

    async def _begin(self, stream: AnyStream, method: str) -> Any:
        self._machine.world.count(method)
        return await stream.recv_message()

    async def _answer(self, stream: AnyStream, method: str, message: Any) -> None:
        """Sends the answer whole, so that what follows may close the connection; or loses it."""
        if self._machine.loses(method):
            self._machine.drop_connections()
            return
        await stream.send_message(message)
        await stream.send_trailing_metadata()

    def _control_plane(self, method: str) -> MachineConfig:
        config = self._machine.active
        if config is None or not config.is_control_plane:
            raise GRPCError(Status.UNIMPLEMENTED, f"{method} is only available on control plane nodes")
        return config

    def _etcd(self, method: str) -> EtcdData:
        self._control_plane(method)
        data = self._machine.disk.etcd
        if data is None or self._machine.etcd_state != "Running":
            raise GRPCError(Status.FAILED_PRECONDITION, "etcd is not running on this machine")
        return data

    def _erasure(self, request: Any) -> Erasure:
        """What to erase; raises InvalidArgument for what does not go together, or is not there."""
        modes = wire.ResetRequest.WipeMode
        labels = frozenset(item.label for item in request.system_partitions_to_wipe if item.wipe)
        unknown = sorted(labels - PARTITIONS)
        if unknown:
            raise GRPCError(Status.INVALID_ARGUMENT, f"no such system partition: {', '.join(unknown)}")
        if request.mode == modes.SYSTEM_DISK and request.user_disks_to_wipe:
            raise GRPCError(Status.INVALID_ARGUMENT, "user disks cannot be wiped in mode SYSTEM_DISK")
        if request.mode == modes.USER_DISKS and request.system_partitions_to_wipe:
            raise GRPCError(Status.INVALID_ARGUMENT, "system partitions cannot be wiped in mode USER_DISKS")
        order = self._machine.order
        for device in request.user_disks_to_wipe:
            if device == order.disk:
                raise GRPCError(Status.INVALID_ARGUMENT, f"{device} is the system disk")
            if device not in order.extra_disks:
                raise GRPCError(Status.INVALID_ARGUMENT, f"no such user disk: {device}")
        everything = request.mode != modes.USER_DISKS and not request.system_partitions_to_wipe
        return Erasure(labels, everything, tuple(request.user_disks_to_wipe))


def _difference(old: MachineConfig, new: MachineConfig) -> str:
    lines = difflib.unified_diff(old.text.splitlines(), new.text.splitlines(), "current", "new", lineterm="")
    return "\n".join(lines)
