"""What machines need, against what is there. Pure."""

from __future__ import annotations

from attrs import frozen

from prov_qemu.facts import Measure
from provisioner.sdk import OperatorNeeded


@frozen
class Need:
    """What is about to be taken. `cpus` is that of the largest machine: processors are shared, memory is not."""

    cpus: int
    memory_mib: int
    room_mib: int = 0


def require(need: Need, there: Measure, whose: str, *, overcommit: bool) -> None:
    """Raises OperatorNeeded that says in numbers what is missing."""
    if need.cpus > there.cpus:
        raise OperatorNeeded(
            "this computer has too few processors",
            detail=f"{whose} has a machine with {need.cpus}, and there are {there.cpus}",
            remedy=f"give no machine more than {there.cpus}: a smaller size, or `cpus:` in its pool",
        )
    if overcommit:
        return
    if need.memory_mib > there.memory_mib:
        raise OperatorNeeded(
            "this computer has too little free memory",
            detail=f"{whose} needs {need.memory_mib} MiB, and {there.memory_mib} MiB are free",
            remedy="end other programs, make machines smaller or fewer, or say `overcommit: true`",
        )
    if need.room_mib > there.room_mib:
        raise OperatorNeeded(
            "this computer has too little room on the disk",
            detail=f"{whose} may come to fill {need.room_mib} MiB, and {there.room_mib} MiB are free",
            remedy="make room, give machines a smaller `disk_gib`, or say `overcommit: true`",
        )
