"""`qemu.machine`: a virtual machine, which is a process of qemu and a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from attrs import asdict, evolve, frozen

from prov_qemu.computer import Computer
from prov_qemu.errors import as_provider_errors
from prov_qemu.kinds.network import gone
from prov_qemu.kinds.reading import read_all, record_of, removed, shown, wanted_of
from prov_qemu.machine.capacity import Need, require
from prov_qemu.machine.command import uuid_of
from prov_qemu.machine.monitor import NoAnswer, Refused
from prov_qemu.machine.start import (
    HALTED,
    KIND,
    accelerator_of,
    complaint,
    launch,
    monitor_of,
    network_folder,
    prepare,
    started_well,
    status_of,
)
from prov_qemu.machine.tools import tools_of
from prov_qemu.records import Record
from provisioner.sdk import (
    Answer,
    Context,
    Done,
    FieldChange,
    Job,
    OperatorNeeded,
    Pending,
    Reading,
    Secret,
    Seen,
    Update,
    output,
    prop,
    stops_it,
)

GRACE: Final = timedelta(seconds=60)
"""How long a machine that is told to switch itself off may take."""
_AS_STARTED: Final = ("cpus", "memory_mib", "accelerator")
"""What a machine has to be started anew for."""


@frozen(kw_only=True)
class MachineProps:
    """A machine.

    address      the name of its `qemu.address`; `ip` and `host` are what that told
    disks        paths of its disks; the first one is booted from, once something is on it
    medium       the path of an ISO to boot from as long as there is nothing on the disk; empty for none
    bus          what disks hang on: virtio (/dev/vda) or scsi (/dev/sda)
    config       how it gets its configuration: nocloud, smbios, metal-iso, url or none
    accelerator  kvm, tcg, or auto: kvm where it has been shown to work
    overcommit   whether it may have more memory than is free
    power        "on" or "off"; it may be found "halted", when qemu has stopped it for want of room for its disk
    """

    cluster: str = prop(immutable=True)
    name: str = prop(immutable=True)
    address: str = prop(immutable=True)
    ip: str = prop(immutable=True)
    host: str = prop(immutable=True)
    cpus: int = prop()
    memory_mib: int = prop()
    disks: tuple[str, ...] = prop(immutable=True)
    medium: str = prop(birth=True, default="")
    bus: str = prop(immutable=True, default="virtio")
    config: str = prop(birth=True, default="nocloud")
    user_data: Secret | None = prop(birth=True, secret=True, readable=False, default=None)  # noqa: RUF009
    accelerator: str = prop(default="auto")
    overcommit: bool = prop(birth=True, readable=False, default=False)
    power: str = prop(default="on")


@frozen
class MachineOutputs:
    """`host` is where it is reached from this computer; `console` is the log of all that it writes to its console."""

    id: str = output()
    host: str = output()
    ip: str = output()
    uuid: str = output()
    console: str = output()


_KEPT: Final = (
    *("cluster", "name", "address", "ip", "host", "cpus", "memory_mib"),
    *("disks", "medium", "bus", "config", "accelerator"),
)


class MachineKind:
    """Machines. One is made when its process takes orders; whether Talos is ready is not asked here."""

    props: ClassVar[type[Any]] = MachineProps
    outputs: ClassVar[type[Any]] = MachineOutputs

    def read(
        self, client: Computer, jobs: Sequence[Job[MachineProps, MachineOutputs]], ctx: Context
    ) -> Mapping[str, Reading]:
        """One look for all jobs; a machine whose process is gone is switched off."""
        return read_all(client, KIND, jobs, lambda record: _seen(client, record))

    def create(self, client: Computer, job: Job[MachineProps, MachineOutputs], ctx: Context) -> Answer:
        """Puts the machine on record with its files, then starts its process and waits until that takes orders."""
        wanted: MachineProps = wanted_of(job)
        tools_of(client.facts)
        new = Record(KIND, wanted.cluster, wanted.name, job.key, job.lineage, _props(wanted))
        with as_provider_errors():
            record = client.records.take(new)
            prepare(client, record, str(wanted.user_data.reveal()) if wanted.user_data is not None else "")
            return self._reach(client, record, wanted, job, ctx)

    def update(self, client: Computer, job: Job[MachineProps, MachineOutputs], ctx: Context) -> Answer:
        """Switches the machine on or off; one that is to be of another size is switched off and on."""
        wanted: MachineProps = wanted_of(job)
        with as_provider_errors():
            record = record_of(client, KIND, job)
            if record is None:
                raise gone("the machine")
            return self._reach(client, record, wanted, job, ctx)

    def delete(self, client: Computer, job: Job[MachineProps, MachineOutputs], ctx: Context) -> Answer:
        """Ends the process where it stands, and removes all there is of the machine."""
        return removed(client, KIND, job, "process")

    def consequence(self, changes: Sequence[FieldChange]) -> str:
        """What a change does to what runs there."""
        names = {str(change.path[0]) for change in changes}
        if names == {"power"}:
            return f"switches the machine {changes[0].after}"
        return "switches the machine off and on"

    def interrupts(self, update: Update) -> bool:
        """All that changes in place takes a machine that is switched off."""
        return stops_it(update, *_AS_STARTED)

    # The way from what a machine is to what it shall be; every call does one thing.

    def _reach(
        self, client: Computer, record: Record, wanted: MachineProps, job: Job[Any, Any], ctx: Context
    ) -> Answer:
        alive = client.processes.alive(client.records.folder(record))
        if alive and (wanted.power == "off" or _differs(record, wanted)):
            return _switch_off(client, record, job, ctx)
        if not alive and _differs(record, wanted):
            record = client.records.write(evolve(record, props={**record.props, **_as_started(wanted)}))
        if wanted.power == "off":
            return Done(_outputs(client, record))
        return _await(client, record) if alive else _start(client, record, wanted, ctx)


def _start(client: Computer, record: Record, wanted: MachineProps, ctx: Context) -> Answer:
    folder = client.records.folder(record)
    if said := complaint(folder):
        raise OperatorNeeded(
            "a virtual machine does not start",
            detail=f"{record.name}: {said}",
            remedy=f"see to what qemu says, then run prov again; its words are in {folder / 'failed.log'}",
        )
    accelerator = accelerator_of(client, wanted.accelerator, ctx)
    if not accelerator:
        return Pending(id=record.id, after_s=1.0, note="tries out whether KVM works here")
    measure = client.facts.measure(folder)
    require(Need(wanted.cpus, wanted.memory_mib), measure, f"machine {record.name}", overcommit=wanted.overcommit)
    launch(client, record, accelerator)
    return Pending(id=record.id, after_s=0.3, note="starts the machine")


def _await(client: Computer, record: Record) -> Answer:
    """Done once the machine takes orders and is at work; one that stands still is told once to go on."""
    status = status_of(client, record)
    if not status:
        return Pending(id=record.id, after_s=0.3, note="waits until qemu takes orders")
    told = client.records.folder(record) / "resumed"
    if status in HALTED and told.exists():
        told.unlink()  # so that the next run tells it again
        raise OperatorNeeded(
            "a virtual machine stands still",
            detail=f"{record.name}: qemu says {status!r}; as a rule there is no room left for its disk",
            remedy="make room on the disk of this computer, then run prov again",
        )
    if status in HALTED:
        told.touch()
        client.monitors.ask(network_folder(client, record), monitor_of(record), "cont")
        return Pending(id=record.id, after_s=1.0, note="lets the machine go on")
    told.unlink(missing_ok=True)
    started_well(client.records.folder(record))
    return Done(_outputs(client, record))


def _switch_off(client: Computer, record: Record, job: Job[Any, Any], ctx: Context) -> Answer:
    """Asks the machine to switch itself off, once; when it has had its time its process is ended."""
    if job.phase == "stopping" and ctx.now() - datetime.fromisoformat(job.memo["since"]) > GRACE:
        client.processes.kill(client.records.folder(record))
    since = job.memo.get("since", "") if job.phase == "stopping" else ""
    try:
        if not since:
            client.monitors.ask(network_folder(client, record), monitor_of(record), "system_powerdown")
    except (NoAnswer, Refused):
        client.processes.kill(client.records.folder(record))
    memo = {"since": since or ctx.now().isoformat()}
    return Pending(id=record.id, phase="stopping", memo=memo, after_s=1.0, note="waits for the machine to switch off")


def _props(wanted: MachineProps) -> dict[str, Any]:
    return {name: value for name, value in asdict(wanted).items() if name in _KEPT}


def _as_started(wanted: MachineProps) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in _AS_STARTED}


def _differs(record: Record, wanted: MachineProps) -> bool:
    return any(record.props[name] != value for name, value in _as_started(wanted).items())


def _outputs(client: Computer, record: Record) -> MachineOutputs:
    console = client.records.folder(record) / "console.log"
    return MachineOutputs(
        record.id, str(record.props["host"]), str(record.props["ip"]), uuid_of(record.key), str(console)
    )


def _seen(client: Computer, record: Record) -> Seen:
    power = "on" if client.processes.alive(client.records.folder(record)) else "off"
    if power == "on" and status_of(client, record) in HALTED:
        power = "halted"
    return Seen({**shown(record, _KEPT), "power": power}, asdict(_outputs(client, record)))
