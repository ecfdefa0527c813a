"""What a client of the Talos API may do, by the names in its certificate.

Source: siderolabs/talos v1.14, `pkg/machinery/role`.
"""

from __future__ import annotations

from collections.abc import Iterable

from provisioner.sdk import ProvError, did_you_mean

ADMIN = "os:admin"
ROLES = {
    ADMIN: "everything",
    "os:operator": "reads, reboots, restarts services, and looks after etcd",
    "os:reader": "reads what is not secret",
    "os:etcd:backup": "takes snapshots of etcd",
    "os:image:verifier": "verifies images, from 1.13",
    "os:meta:writer": "writes the META partition, from 1.13",
}
"""What each role may do. Nodes have one more for their own use, which is none for people."""


class NoSuchRole(ProvError):
    """A role that Talos does not have."""

    code = "role"


def checked(roles: Iterable[str]) -> tuple[str, ...]:
    """The roles, the administrator's where none is named; raises NoSuchRole."""
    wanted = tuple(roles) or (ADMIN,)
    for role in wanted:
        if role not in ROLES:
            raise NoSuchRole("Talos has no such role", detail=repr(role), remedy=did_you_mean(role, ROLES))
    return wanted
