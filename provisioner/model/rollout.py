"""Changes that must not happen to all members at once."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from provisioner.model.address import Address
from provisioner.model.value import Value


@frozen
class Rollout:
    """At most `max_unavailable` of `members` are changed or removed at a time, in the given order.

    The planner turns it into edges between steps and shows `reason`; it knows nothing of what the members
    are. What is on record with the kind of a member and `where` among its props is a member too, though the
    file no longer names it: it is on its way out.
    """

    members: tuple[Address, ...]
    max_unavailable: int
    reason: str
    where: Mapping[str, Value] = field(factory=dict)
