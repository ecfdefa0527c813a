"""Erasing the disks of a node that leaves for good, and what is known of it afterwards.

Only Talos erases, when it is asked for a reset: configuration and data first, then the disks that are named. Its API
ends before that begins. What tells of the end is the machine: it powers off, or restarts, only if nothing went wrong.
So what is on record here is that it agreed and went down, or, where it answers in maintenance, what it says of its
disks; whoever has the power switch sees the rest.

Talos erases quickly: partition tables and signatures go, and so does every filesystem; the sectors in between keep
their bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from attrs import field, frozen

from provisioner.sdk import Absent, OperatorNeeded, Reading, Unreachable
from provisioner.talos.api.access import Disk, Foreign, Maintenance, Outlook, Silent, Wipe

SPARING = "unwiped"
"""What follows a manner of removal, behind a slash, where disks that cannot be erased may stay as they are."""
DISKS = "disks"
"""The memo's key for the disks that are to be erased, as the machine describes them."""


@frozen
class Order:
    """What a machine is asked to erase, and what is remembered of that."""

    wipe: Wipe = field(factory=Wipe)
    memo: Mapping[str, str] = field(factory=dict)
    note: str = "has been asked to wipe itself"


def order_of(
    node: str, wanted: Sequence[str], disks: Iterable[Disk], *, spare: bool, say: Callable[[str], None]
) -> Order:
    """What to ask for so that `wanted` are erased; raises OperatorNeeded for a disk that is not there or cannot be.

    Where that is accepted the disk is left out instead. The disk that Talos is on goes as a whole.
    """
    known = tuple(disks)
    chosen: dict[str, Disk] = {}
    for name in wanted:
        disk = _named(name, known)
        wrong = "is not there" if disk is None else "cannot be written" if disk.fixed else ""
        if disk is not None and not wrong:
            chosen[disk.path] = disk
        elif spare:
            say(f"{node}: {name} {wrong}, and is left as it is")
        else:
            raise OperatorNeeded(
                "a disk that is to be erased cannot be",
                detail=f"{node}: {name} {wrong}; the machine has {', '.join(map(str, known)) or 'none'}",
                remedy="correct the disks that are to be erased, and apply; or accept that it stays as it is with "
                "--allow unwiped",
            )
    told = ", ".join(map(str, chosen.values()))
    others = tuple(disk.path for disk in chosen.values() if not disk.system)
    wipe = Wipe(any(disk.system for disk in chosen.values()), others)
    return Order(wipe, {DISKS: told}, f"has been asked to wipe itself, and to erase {told}")


def seen_after(node: str, wanted: Sequence[str], disks: Iterable[Disk], *, spare: bool) -> str:
    """What a machine in maintenance says of its disks; raises OperatorNeeded where something is left on one."""
    known = tuple(disks)
    found = {name: _named(name, known) for name in wanted}
    left = [
        f"{name} holds {', '.join(disk.holds)}" for name, disk in found.items() if disk is not None and disk.holds
    ]
    if left and not spare:
        raise OperatorNeeded(
            "a disk that was to be erased is not empty",
            detail=f"{node}: {'; '.join(left)}",
            remedy="erase it by hand (talosctl wipe disk), or accept that with --allow unwiped",
        )
    empty = [str(disk) for disk in found.values() if disk is not None and not disk.holds]
    missing = [f"{name} is not there" for name, disk in found.items() if disk is None]
    return "; ".join([*([f"{', '.join(empty)}: seen empty"] if empty else []), *left, *missing])


def obstacle(reading: Reading | None) -> str:
    """Why a machine cannot be asked to erase anything, by what reading it found; empty where it can."""
    match reading:
        case Unreachable(reason):
            return f"the machine does not answer as the node, and nobody else can erase them ({reason})"
        case Absent():
            return "the machine runs without a configuration, and takes no such order"
        case _:
            return ""


def cannot(node: str, host: str, wanted: Sequence[str], outlook: Outlook | None) -> OperatorNeeded:
    """What to say when a machine that is to erase disks cannot be asked."""
    return OperatorNeeded(
        "disks that are to be erased cannot be",
        detail=f"{node} at {host or 'no address'}: {', '.join(wanted)}: {_state(outlook)}",
        remedy="bring the machine back and apply again, or accept that with --allow unwiped",
    )


def sparing(wanted: Sequence[str], outlook: Outlook | None) -> str:
    """What is on record of disks that stay as they are."""
    return f"{', '.join(wanted)}: not erased, which was accepted: {_state(outlook)}"


def _state(outlook: Outlook | None) -> str:
    match outlook:
        case Silent(reason):
            return f"the machine does not answer ({reason})"
        case Foreign(reason):
            return f"the machine is not the node ({reason})"
        case Maintenance():
            return "the machine runs without a configuration"
        case _:
            return "there is no machine"


def _named(name: str, disks: Iterable[Disk]) -> Disk | None:
    return next((disk for disk in disks if name == disk.path or name in disk.aliases), None)
