"""`qemu.capacity`: whether this computer can bear a cluster, asked before anything of it is started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import frozen

from prov_qemu.computer import Computer
from prov_qemu.errors import as_provider_errors
from prov_qemu.kinds.disk import KIND as DISK
from prov_qemu.kinds.reading import wanted_of
from prov_qemu.machine.capacity import Need, require
from prov_qemu.machine.tools import tools_of
from provisioner.sdk import Answer, Context, Done, Job, output, prop


@frozen
class CapacityProps:
    """The machines of a cluster, by name: each with `cpus`, `memory_mib` and `disk_gib`.

    overcommit  whether they may be larger than what is free
    """

    cluster: str = prop()
    machines: Mapping[str, Mapping[str, int]] = prop()
    overcommit: bool = prop(default=False)


@frozen
class CapacityOutputs:
    """`id` is the cluster's name."""

    id: str = output()


class CapacityGate:
    """Passes where programs, processors, memory and room are there; says what is missing, in numbers."""

    props: ClassVar[type[Any]] = CapacityProps
    outputs: ClassVar[type[Any]] = CapacityOutputs

    def check(self, client: Computer, job: Job[CapacityProps, CapacityOutputs], ctx: Context) -> Answer:
        """Counts what is not there yet only: machines that run have their memory already."""
        wanted: CapacityProps = wanted_of(job)
        tools_of(client.facts)
        with as_provider_errors():
            running = [record for record in client.records.all("machine") if record.cluster == wanted.cluster]
            up = {one.name for one in running if client.processes.alive(client.records.folder(one))}
            made = {one.name for one in client.records.all(DISK) if one.cluster == wanted.cluster}
            measure = client.facts.measure(client.place.data)
        machines = wanted.machines
        need = Need(
            cpus=max((int(size["cpus"]) for size in machines.values()), default=0),
            memory_mib=_sum(machines, "memory_mib", up),
            room_mib=_sum(machines, "disk_gib", made) * 1024,
        )
        require(need, measure, f"the cluster {wanted.cluster}", overcommit=wanted.overcommit)
        return Done(CapacityOutputs(wanted.cluster))


def _sum(machines: Mapping[str, Mapping[str, int]], what: str, but: Sequence[str] | set[str]) -> int:
    return sum(int(size[what]) for name, size in machines.items() if name not in but)
