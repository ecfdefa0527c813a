"""The steps of a plan: the closed union that planner, renderers and engine share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from attrs import field, frozen

from provisioner.model.address import Address
from provisioner.model.value import Origin, Path, Value

Severity: TypeAlias = Literal["", "info", "warning", "critical"]
"""How bad drift is: a label; something that works otherwise than wanted; no service, or open to the wrong ones."""


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

    id           stable within a plan: the verb, the address, and the part where there are several
    part         tells steps of one verb and address apart, such as the generation that a removal is about
    after        ids of the steps that must be done before
    turn         ids of the steps that must have ended before, well or not: a rollout lets its members take turns
    reasons      why, for people
    consequence  what it does to what runs there ("reboots the node"), empty when nothing
    severity     how bad it is that somebody else changed or removed it; empty for steps that have other reasons
    """

    address: Address
    provider: str
    generation: int = 1
    part: str = ""
    after: tuple[str, ...] = ()
    turn: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    consequence: str = ""
    severity: Severity = ""

    verb = ""

    @property
    def id(self) -> str:
        return f"{self.verb}:{self.address}#{self.part}" if self.part else f"{self.verb}:{self.address}"


@frozen(kw_only=True)
class Create(_Step):
    """Make the object with `wanted`, which may hold references to what earlier steps make.

    `deposes` says that the old object stands until a later step removes it.
    """

    verb = "create"
    wanted: Mapping[str, Value]
    depends_on: tuple[Address, ...] = ()
    protect: bool = False
    replaces: bool = False
    deposes: bool = False


@frozen(kw_only=True)
class Adopt(_Step):
    """Take over an object that somebody else made: mark it as ours, and put it on record as it was found.

    `remote` is the id it has there, `wanted` its props as they are now.
    """

    verb = "adopt"
    remote: str
    wanted: Mapping[str, Value]
    depends_on: tuple[Address, ...] = ()
    protect: bool = False


@frozen(kw_only=True)
class Update(_Step):
    """Change the object in place. `then` names the actions that follow it in the plan, and are owed from here on."""

    verb = "update"
    wanted: Mapping[str, Value]
    changes: tuple[FieldChange, ...]
    depends_on: tuple[Address, ...] = ()
    protect: bool = False
    then: tuple[str, ...] = ()


@frozen(kw_only=True)
class Run(_Step):
    """Do something with the object that changes none of its props: drain it, take a snapshot, wait until it is well.

    `then` names the actions that follow, as in `Update`.
    """

    verb = "run"
    action: str
    then: tuple[str, ...] = ()


@frozen(kw_only=True)
class Delete(_Step):
    """Remove the object in the planned manner; `deposed` when a later generation has taken its place already."""

    verb = "delete"
    how: str = ""
    replaced: bool = False
    deposed: bool = False


@frozen(kw_only=True)
class Forget(_Step):
    """Drop the entry; there is nothing to remove."""

    verb = "forget"


@frozen(kw_only=True)
class Keep(_Step):
    """Nothing to do. `notes` tell what differs on purpose, or since when it is out of reach.

    `depends_on` goes on record if another order was on record: that takes no call.
    """

    verb = "keep"
    notes: tuple[str, ...] = ()
    depends_on: tuple[Address, ...] | None = None


@frozen(kw_only=True)
class Check(_Step):
    """A gate: polls a condition, has a deadline, fails closed. It is on record once it has passed."""

    verb = "check"
    wanted: Mapping[str, Value]
    depends_on: tuple[Address, ...] = field(default=())


@frozen(kw_only=True)
class LookUp(_Step):
    """Find something that is not ours, whose whereabouts are known only once earlier steps are done."""

    verb = "read"
    wanted: Mapping[str, Value]


Step: TypeAlias = Create | Adopt | Update | Run | Delete | Forget | Keep | Check | LookUp
