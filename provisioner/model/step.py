"""The steps of a plan: the closed union that planner, renderers and engine share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from attrs import field, frozen

from provisioner.model.address import Address
from provisioner.model.value import Origin, Path, Value


@frozen
class FieldChange:
    """One leaf that differs; `before` or `after` is `ABSENT` where there is none."""

    path: Path
    before: Value
    after: Value
    origin: Origin | None = None


ABSENT: Value = "\x00absent"
"""Stands for a leaf that is not there, in a `FieldChange`."""


@frozen(kw_only=True)
class _Step:
    """What all steps have.

    id           stable within a plan: the verb and the address
    after        ids of the steps that must be done before
    reasons      why, for people
    consequence  what it does to what runs there ("reboots the node"), empty when nothing
    """

    address: Address
    provider: str
    generation: int = 1
    after: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    consequence: str = ""

    verb = ""

    @property
    def id(self) -> str:
        return f"{self.verb}:{self.address}"


@frozen(kw_only=True)
class Create(_Step):
    """Make the object with `wanted`, which may hold references to what earlier steps make."""

    verb = "create"
    wanted: Mapping[str, Value]
    depends_on: tuple[Address, ...] = ()
    protect: bool = False
    replaces: bool = False


@frozen(kw_only=True)
class Update(_Step):
    """Change the object in place."""

    verb = "update"
    wanted: Mapping[str, Value]
    changes: tuple[FieldChange, ...]
    depends_on: tuple[Address, ...] = ()
    protect: bool = False


@frozen(kw_only=True)
class Delete(_Step):
    """Remove the object in the planned manner."""

    verb = "delete"
    how: str = ""
    replaced: bool = False


@frozen(kw_only=True)
class Forget(_Step):
    """Drop the entry; there is nothing to remove."""

    verb = "forget"


@frozen(kw_only=True)
class Keep(_Step):
    """Nothing to do. `notes` tell what differs on purpose, or since when it is out of reach."""

    verb = "keep"
    notes: tuple[str, ...] = ()


@frozen(kw_only=True)
class Check(_Step):
    """A gate: polls a condition, has a deadline, fails closed. It is on record once it has passed."""

    verb = "check"
    wanted: Mapping[str, Value]
    depends_on: tuple[Address, ...] = field(default=())


Step: TypeAlias = Create | Update | Delete | Forget | Keep | Check
