"""Changes that must not happen to all members at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen

from provisioner.model.address import Address
from provisioner.model.value import Value


@frozen
class Watch:
    """A condition that a rollout waits for: a gate's kind, the provider instance that serves it, its props."""

    kind: str
    provider: str
    props: Mapping[str, Value] = field(factory=dict)


@frozen
class Ground:
    """What a member stands on: while its object at `address` is interrupted, the member is not available either.

    Whether a change in place interrupts is for its kind to say.

    before  must hold right before that object is interrupted
    after   must hold after it, before the next member has its turn
    told    what that comes to, for people; told with what the change itself does
    """

    address: Address
    before: Watch
    after: Watch
    told: str


@frozen
class Rollout:
    """At most `max_unavailable` of `members` are changed or removed at a time, in the given order.

    The planner turns it into steps and the order between them, and shows `reason`; it knows nothing of what the
    members are. What is on record with the kind of a member and `where` among its props is a member too, though
    the file no longer names it: it is on its way out.

    name            names it among the rollouts of a plan
    before          must hold before the first member is touched
    after_each      must hold after each member, before its place is given to the next one
    failure_budget  how many members may fail, by their own steps or by `after_each`; one more, and no further member
                    is begun
    on_failure      what becomes of the members changed so far when it ends so: they stay, or go back, last one
                    first, to what was on record before the run
    grounds         by member, what it stands on: a change that interrupts that is part of the member's turn. The
                    planner makes steps of it, so a rollout of a plan has none
    turns           filled in by the planner: of each member that takes a turn, the ids of its steps, in order
    """

    members: tuple[Address, ...]
    max_unavailable: int
    reason: str
    where: Mapping[str, Value] = field(factory=dict)
    name: str = "rollout"
    before: Watch | None = None
    after_each: Watch | None = None
    failure_budget: int = 0
    on_failure: Literal["stop", "rollback"] = "stop"
    grounds: Mapping[Address, Ground] = field(factory=dict)
    turns: tuple[tuple[str, ...], ...] = ()
