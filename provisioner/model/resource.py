"""What is wanted, and what reading found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypeAlias

from attrs import field, frozen

from provisioner.errors import Place
from provisioner.model.address import Address
from provisioner.model.value import Value

Replace = Literal["delete_first", "create_first"]
"""Which comes first where a change takes a new object: the removal of the old one, or the making of the new one."""


@frozen
class Resource:
    """One wanted object.

    provider  names the provider instance that serves it
    ignore    paths into `props`, such as `tags.owner`, whose differences are left alone once it is made
    adopts    the remote's id of an object that is there already and shall be taken over, empty for none
    """

    address: Address
    provider: str
    props: Mapping[str, Value]
    after: tuple[Address, ...] = ()
    protect: bool = False
    replace: Replace = "delete_first"
    ignore: tuple[str, ...] = ()
    adopts: str = ""
    place: Place = field(default=Place(), eq=False)


@frozen
class Seen:
    """The object is there. `props` has what can be read back, unknown to no one but the remote."""

    props: Mapping[str, Value]
    outputs: Mapping[str, Value] = field(factory=dict)


@frozen
class Absent:
    """The remote answered: there is no such object."""


@frozen
class Unreachable:
    """The remote did not answer, so nothing is known; this is never taken for absence.

    `remedy` says what helps, where waiting does not.
    """

    reason: str
    since: datetime | None = None
    remedy: str = ""


Reading: TypeAlias = Seen | Absent | Unreachable
