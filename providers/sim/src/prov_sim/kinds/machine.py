"""`sim.machine`: a simulated machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import asdict, frozen

from prov_sim.control import Control
from prov_sim.errors import as_provider_errors
from prov_sim.kinds.reading import find_all, read_all
from provisioner.sdk import (
    Answer,
    Context,
    Done,
    FieldChange,
    Job,
    Pending,
    Reading,
    Secret,
    Seen,
    Update,
    output,
    prop,
    stops_it,
)


@frozen(kw_only=True)
class MachineProps:
    """A machine as it is wanted. `memory_mib` in MiB; `image` is a Talos release; `power` is "on" or "off".

    `alive` is for no file to say: a machine that died is not, and cannot be mended.
    """

    name: str = prop(immutable=True)
    group: str = prop(immutable=True)
    role: str = prop(immutable=True)
    cpus: int = prop(immutable=True)
    memory_mib: int = prop(immutable=True)
    zone: str = prop(immutable=True, default="")
    image: str = prop(birth=True)
    platform: str = prop(birth=True, default="nocloud")
    user_data: Secret | None = prop(birth=True, secret=True, readable=False, default=None)  # noqa: RUF009
    time_scale: float = prop(birth=True, readable=False, default=0.1)
    seed: int = prop(birth=True, readable=False, default=0)
    disk: str = prop(birth=True, default="/dev/vda")
    extra_disks: tuple[str, ...] = prop(birth=True, readable=False, default=())
    power: str = prop(default="on")
    alive: bool = prop(immutable=True, default=True)


@frozen
class MachineOutputs:
    """`host` is the loopback address on which the machine answers; it is fixed at birth."""

    id: str = output()
    host: str = output()


READABLE = ("name", "group", "role", "cpus", "memory_mib", "zone", "image", "platform", "disk", "power")


class MachineKind:
    """Machines of a daemon. One is made when it is powered on; whether Talos is ready is not asked here."""

    props: ClassVar[type[Any]] = MachineProps
    outputs: ClassVar[type[Any]] = MachineOutputs

    def read(
        self, client: Control, jobs: Sequence[Job[MachineProps, MachineOutputs]], ctx: Context
    ) -> Mapping[str, Reading]:
        """One list call for all jobs."""
        return read_all(client, jobs, "machines", _seen)

    def create(self, client: Control, job: Job[MachineProps, MachineOutputs], ctx: Context) -> Answer:
        """Finds the machine of the key, or makes it; pending until it is powered on."""
        if isinstance(job.seen, Seen) and job.seen.props["power"] == "on":
            return Done(MachineOutputs(id=str(job.seen.outputs["id"]), host=str(job.seen.outputs["host"])))
        wanted = _wanted(job)
        order = asdict(wanted)
        order["user_data"] = wanted.user_data.reveal() if wanted.user_data is not None else ""
        del order["power"], order["alive"]
        with as_provider_errors():
            machine = client.call("create_machine", key=job.key, lineage=job.lineage, **order)
        if machine["power"] == "on":
            return Done(_outputs(machine))
        return Pending(id=machine["id"], phase="booting", note="waits for power")

    def update(self, client: Control, job: Job[MachineProps, MachineOutputs], ctx: Context) -> Answer:
        """Switches the machine on or off where it is not; nothing else changes in place."""
        wanted = _wanted(job)
        found = self.read(client, [job], ctx)[job.key]
        if isinstance(found, Seen) and (found.props["power"], found.props["alive"]) == (wanted.power, True):
            return Done(MachineOutputs(id=str(found.outputs["id"]), host=str(found.outputs["host"])))
        with as_provider_errors():
            machine = client.ask("update_machine", key=job.key, id=job.id, lineage=job.lineage, power=wanted.power)
        return Done(_outputs(machine))

    def delete(self, client: Control, job: Job[MachineProps, MachineOutputs], ctx: Context) -> Answer:
        """Removes the machine and its disk at once; without a daemon there is nothing to remove."""
        with as_provider_errors():
            client.ask_if_running("delete_machine", key=job.key, id=job.id, lineage=job.lineage)
        return Done(None)

    def find(self, client: Control, ids: Sequence[str], ctx: Context) -> Mapping[str, Reading]:
        """Machines by the id that the daemon gave them."""
        return find_all(client, ids, "machines", _seen)

    def adopt(self, client: Control, job: Job[MachineProps, MachineOutputs], ctx: Context) -> Answer:
        """Puts our key on the machine; one of another state is refused."""
        with as_provider_errors():
            machine = client.ask("adopt_machine", key=job.key, id=job.id, lineage=job.lineage)
        return Done(_outputs(machine))

    def consequence(self, changes: Sequence[FieldChange]) -> str:
        """What is changed in place is the power."""
        return f"switches the machine {changes[0].after}"

    def interrupts(self, update: Update) -> bool:
        """Whether a machine that is on is switched off."""
        return stops_it(update)


def _wanted(job: Job[MachineProps, MachineOutputs]) -> MachineProps:
    assert job.wanted is not None, "the engine creates and updates with known props"
    return job.wanted


def _outputs(machine: Mapping[str, Any]) -> MachineOutputs:
    return MachineOutputs(id=machine["id"], host=machine["address"])


def _seen(machine: Mapping[str, Any]) -> Seen:
    outputs = {"id": machine["id"], "host": machine["address"]}
    alive = machine["power"] != "dead"
    props = {name: machine[name] for name in READABLE}
    return Seen({**props, "power": machine["power"] if alive else "on", "alive": alive}, outputs)
