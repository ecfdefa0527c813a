"""Whether the machine behind a BMC is the one that is meant, and whether it is free.

The first look at a host decides whether it is switched off and its disk is written, so everything that speaks against
that is looked for before. What stands on record of a chassis is held against every later look as well: BMCs change
their addresses, and cables their places.
"""

from __future__ import annotations

from collections.abc import Mapping

from prov_metal.bmc.driver import Facts
from prov_metal.kinds.props import HostJob, HostProps
from prov_metal.ways.way import Trip
from provisioner.sdk import OperatorNeeded

CHASSIS = "chassis"
"""The name in a memo under which the first look at a host is remembered, as `UUID/SERIAL`."""
_CORRECT = (
    "correct the row of the inventory, or the cabling, and apply again; `prov state rm` forgets a host without "
    "touching any machine"
)
_LOOK_S = 5.0
"""How long whoever may run at a host's address has to show a certificate."""


def is_meant(wanted: HostProps, facts: Facts, memo: Mapping[str, str]) -> None:
    """Raises OperatorNeeded where another chassis is there than the row says, or than was there at first."""
    for name, expected, found, same in (
        ("uuid", wanted.uuid, facts.uuid, facts.is_uuid(wanted.uuid)),
        ("serial", wanted.serial, facts.serial, wanted.serial.lower() == facts.serial.lower()),
    ):
        if expected and not same:
            raise OperatorNeeded(
                "another machine is behind this BMC",
                detail=f"{wanted.host}: the inventory has {name} {expected}, the BMC says {found or 'nothing'}",
                remedy=_CORRECT,
            )
    if not _same(memo.get(CHASSIS, ""), facts):
        raise OperatorNeeded(
            "another machine is behind this BMC than when it began",
            detail=f"{wanted.host}: it was {memo[CHASSIS]}, and is {remembered(facts)} now (UUID/serial number)",
            remedy=_CORRECT,
        )


def is_the_same(job: HostJob, facts: Facts) -> None:
    """Raises OperatorNeeded where the BMC of a host that stands has another address, and another chassis behind it.

    One or the other may be right: a BMC that was given another address, a chassis that was exchanged in its place. A
    row that says which chassis it is meant is believed, see `is_meant`.
    """
    wanted, applied, known = job.wanted, job.applied, job.outputs.serial if job.outputs else ""
    if wanted is None or applied is None or wanted.bmc == applied.bmc or wanted.serial or wanted.uuid:
        return
    if known and facts.serial and known.lower() != facts.serial.lower():
        raise OperatorNeeded(
            "another machine is behind the new address of a BMC",
            detail=f"{wanted.host}: its serial number was {known}, and that behind {wanted.bmc} is {facts.serial}",
            remedy="correct `bmc` in its row; if the chassis was exchanged as well, write its `serial` there",
        )


def is_as_recorded(job: HostJob, facts: Facts) -> None:
    """Raises OperatorNeeded where a host that is to be given back has another serial number than it had.

    Its BMC's address may belong to another machine by now. A row that says which chassis it is has been believed.
    """
    applied, known = job.applied, job.outputs.serial if job.outputs else ""
    if applied is None or applied.serial or applied.uuid:
        return
    if known and facts.serial and known.lower() != facts.serial.lower():
        raise OperatorNeeded(
            "another machine is behind this BMC",
            detail=f"{applied.host}: its serial number was {known}, and that behind {applied.bmc} is {facts.serial}",
            remedy="correct `bmc` in its row, or write the `serial` of a chassis that was exchanged, and apply that "
            "first; `prov state rm` forgets a host without touching any machine",
        )


def remembered(facts: Facts) -> str:
    """What a memo has of a chassis."""
    return f"{facts.uuid}/{facts.serial}"


def is_free(trip: Trip, facts: Facts) -> None:
    """Raises OperatorNeeded where somebody uses the host, as far as that shows without touching it."""
    wanted = trip.wanted
    if doubles := trip.client.met.doubles(wanted.host):
        raise OperatorNeeded(
            "two hosts have the same UUID",
            detail=f"{wanted.host} and {', '.join(doubles)}: the BMCs say {facts.uuid}",
            remedy="correct the rows of the inventory, or the UUID of a board",
        )
    there = trip.client.shown(wanted.address, wanted.authority, _LOOK_S)
    if there.state not in ("node", "other"):
        return
    whose = "a node of this cluster" if there.state == "node" else "a system that is not of this cluster"
    names = ", ".join(name for name in there.names if name != wanted.address)
    detail = f"{wanted.host} is {'on' if facts.on else 'off'}, and at {wanted.address}:50000 {whose} answers"
    detail += f" ({names})" if names else ""
    if not facts.on:
        raise OperatorNeeded(
            "another machine has the address of a host",
            detail=detail,
            remedy="correct `address` in the host's row, or free that address; if it is the host itself, restart its "
            "BMC, which says that it is off",
        )
    raise OperatorNeeded(
        "a host is in use",
        detail=detail,
        remedy="see whether another cluster file, or another state of this one, has the host; to give up what runs "
        "there, switch the host off by its BMC and apply again",
    )


def _same(known: str, facts: Facts) -> bool:
    """Whether it may be the same chassis: something that both looks told agrees, or nothing can be compared."""
    uuid, _, serial = known.partition("/")
    compared = [facts.is_uuid(uuid)] if uuid and facts.uuid else []
    if serial and facts.serial:
        compared.append(serial.lower() == facts.serial.lower())
    return not compared or any(compared)
