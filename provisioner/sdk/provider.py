"""The provider protocol: who a provider is, and the verbs of its kinds.

Every verb is re-entrant and short. It does one thing and returns `Done`, or `Pending` with its checkpoint,
and is called again; it never waits for remote progress. So the path after a crash is the path of every poll.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

from provisioner.model.address import Address
from provisioner.model.design import BootRefs, Design, Endpoint, Slice
from provisioner.model.job import Answer, Context, Job
from provisioner.model.resource import Reading
from provisioner.model.step import FieldChange
from provisioner.model.value import Function


@runtime_checkable
class Kind(Protocol):
    """One kind of object. `props` and `outputs` are frozen attrs classes; outputs always have `id`."""

    props: ClassVar[type[Any]]
    outputs: ClassVar[type[Any]]

    def read(self, client: Any, jobs: Sequence[Job[Any, Any]], ctx: Context) -> Mapping[str, Reading]:
        """What is there, by job key, for many objects at once.

        `Seen.props` has the readable props; a remote that cannot be reached is `Unreachable`, never `Absent`.
        """
        ...

    def create(self, client: Any, job: Job[Any, Any], ctx: Context) -> Answer:
        """Makes `job.wanted`. Called again with the same key it finds what an earlier call left behind."""
        ...

    def update(self, client: Any, job: Job[Any, Any], ctx: Context) -> Answer:
        """Makes `read` equal `job.wanted`; without a difference it writes nothing."""
        ...

    def delete(self, client: Any, job: Job[Any, Any], ctx: Context) -> Answer:
        """Removes the object in the manner `job.how`; quiet when it is gone already."""
        ...


@runtime_checkable
class Gate(Protocol):
    """A kind that is a condition: others may wait for it, and it passes or fails."""

    props: ClassVar[type[Any]]
    outputs: ClassVar[type[Any]]

    def check(self, client: Any, job: Job[Any, Any], ctx: Context) -> Answer:
        """`Done` when the condition holds; else `Pending` with what is still missing as its note."""
        ...


@runtime_checkable
class PlansDeletion(Protocol):
    """A kind that is removed in more than one manner. Pure: the choice is part of the plan."""

    def how(self, address: Address, going: frozenset[Address], reading: Reading | None) -> tuple[str, str]:
        """The manner, and its consequence for people.

        `going` are all addresses that the plan removes for good or finds gone.
        """
        ...


@runtime_checkable
class TellsConsequence(Protocol):
    """A kind that knows what a change in place does to what runs there. Pure."""

    def consequence(self, changes: Sequence[FieldChange]) -> str:
        """A few words such as "live" or "reboots the node"."""
        ...


@runtime_checkable
class Precious(Protocol):
    """A kind whose loss is a loss of data: making it anew needs `--allow data-loss`."""

    precious: ClassVar[str]
    """What is lost, for people."""


@runtime_checkable
class Provider(Protocol):
    """A provider: its name, its settings, its kinds, and how to connect."""

    name: ClassVar[str]
    protocol: ClassVar[int]
    settings: ClassVar[type[Any]]
    kinds: ClassVar[Mapping[str, Kind | Gate]]
    """By full name, such as `sim.machine`."""
    functions: ClassVar[Mapping[str, Function]]
    """Pure functions that values may call, by full name, such as `talos.encode`."""

    def connect(self, settings: Any) -> Any:
        """A client for the kinds. The only place that reads credentials; opens connections lazily."""
        ...


@runtime_checkable
class Infrastructure(Provider, Protocol):
    """A provider that makes machines."""

    node_options: ClassVar[type[Any]]
    """Frozen class of what a pool may say to this provider beyond the common fields."""

    def endpoint(self, part: Slice) -> Endpoint | None:
        """What gives the Kubernetes API one address, or None where the file has to name it. Pure.

        Asked of the provider of the first control-plane pool, when the file says `endpoint: auto`.
        """
        ...

    def design(self, part: Slice, boot: BootRefs) -> Design:
        """The resources for its part of a cluster. Pure: equal input, equal result, without IO."""
        ...


__all__ = [
    "Gate",
    "Infrastructure",
    "Kind",
    "PlansDeletion",
    "Precious",
    "Provider",
    "TellsConsequence",
]
