"""Changes that must not happen to all members at once."""

from __future__ import annotations

from attrs import frozen

from provisioner.model.address import Address


@frozen
class Rollout:
    """At most `max_unavailable` of `members` are changed or removed at a time, in the given order.

    The planner turns it into edges between steps and shows `reason`; it knows nothing of what the
    members are.
    """

    members: tuple[Address, ...]
    max_unavailable: int
    reason: str
