"""What a removal erases besides the object itself, and that it is not given up silently."""

from __future__ import annotations

from attrs import frozen

from provisioner.errors import Place, Problem
from provisioner.model.resource import Reading
from provisioner.model.state import Entry, Status
from provisioner.planner.guard import UNWIPED
from provisioner.sdk.provider import Erases


@frozen
class Manner:
    """How something is removed, with the consequence for people, and what is in the way."""

    how: str
    consequence: str
    problems: tuple[Problem, ...] = ()


def erasing(
    kind: Erases, entry: Entry, how: str, consequence: str, reading: Reading | None, allow: frozenset[str]
) -> Manner:
    """The manner of a removal once it is known what it erases; what was never finished has nothing to erase."""
    begun = entry.status is Status.DELETING and entry.half_done
    found = kind.erasure(entry.applied, how, None if begun else reading) if entry.applied else None
    if found is None:
        return Manner(how, consequence)
    what = ", ".join(found.what)
    allowed = UNWIPED in allow
    fate = (
        f"erases {what}" if not found.obstacle else f"leaves {what} as it is" if allowed else f"cannot erase {what}"
    )
    told = f"{fate}; {consequence}" if consequence else fate
    problems = () if allowed or not found.obstacle else (_unwiped(entry, what, found.obstacle),)
    return Manner(found.spared if allowed else how, told, problems)


def _unwiped(entry: Entry, what: str, obstacle: str) -> Problem:
    return Problem(
        UNWIPED,
        "disks that are to be erased cannot be",
        f"{entry.address}: {what}: {obstacle}",
        Place(address=str(entry.address)),
        "bring the machine back so that it can erase them, or give that up with --allow unwiped",
    )
