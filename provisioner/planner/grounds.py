"""What members of rollouts stand on, and what must hold before that is interrupted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from provisioner.model.address import Address
from provisioner.model.rollout import Ground, Rollout
from provisioner.model.state import Entry, Status
from provisioner.model.step import Check, Run, Step, Update
from provisioner.planner.compare import changes
from provisioner.planner.kinds import Kinds

BEFORE = "must hold before it is interrupted"
AFTER = "must hold before the next one has its turn"


def interrupted(steps: Iterable[Step], kinds: Kinds) -> bool:
    """Whether steps of one object interrupt what runs on it, and leave the object there."""
    return any(isinstance(step, Run) or (isinstance(step, Update) and _interrupts(step, kinds)) for step in steps)


def before(ground: Ground, member: Address, kinds: Kinds) -> Check:
    """What is looked at before a member's ground is interrupted."""
    return _check(ground, member, kinds, "before")


def after(ground: Ground, member: Address, kinds: Kinds) -> Check:
    """What is looked at after it."""
    return _check(ground, member, kinds, "after")


def guards(rollouts: Iterable[Rollout], unfinished: Iterable[Entry], kinds: Kinds) -> Mapping[Address, Check]:
    """What must hold before a change that an earlier run began is gone on with, by the object it interrupts."""
    begun = {entry.address: entry for entry in unfinished if entry.status is Status.UPDATING}
    return {
        ground.address: before(ground, member, kinds)
        for rollout in rollouts
        for member, ground in rollout.grounds.items()
        if ground.address in begun and _interrupts(_as_step(begun[ground.address], kinds), kinds)
    }


def _interrupts(update: Update, kinds: Kinds) -> bool:
    gentle = kinds.of(update.address).gentle
    return gentle is None or gentle.interrupts(update)


def _as_step(entry: Entry, kinds: Kinds) -> Update:
    """The change that is in flight, from what was on record before it."""
    different = changes(kinds.of(entry.address).props, entry.applied, entry.intended)
    return Update(address=entry.address, provider=entry.provider, wanted=entry.intended, changes=tuple(different))


def _check(ground: Ground, member: Address, kinds: Kinds, part: str) -> Check:
    watch = ground.before if part == "before" else ground.after
    address = Address(watch.kind, member.name)
    return Check(
        address=address,
        provider=watch.provider,
        part=part,
        reasons=(BEFORE if part == "before" else AFTER,),
        wanted=kinds.of(address).closed(watch.props),
    )
