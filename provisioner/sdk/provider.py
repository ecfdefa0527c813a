"""The provider protocol: who a provider is, and the verbs of its kinds.

Every verb is re-entrant and short. It does one thing and returns `Done`, or `Pending` with its checkpoint,
and is called again; it never waits for remote progress. So the path after a crash is the path of every poll.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeAlias, runtime_checkable

from attrs import frozen

from provisioner.model.address import Address
from provisioner.model.design import BootRefs, Design, Endpoint, Slice
from provisioner.model.fetch import Fetch
from provisioner.model.job import Answer, Context, Job
from provisioner.model.owned import Owned
from provisioner.model.resource import Reading
from provisioner.model.step import FieldChange, Run, Severity, Update
from provisioner.model.value import Function, Value


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


@frozen
class Erasure:
    """What a removal erases besides the object itself.

    what      for people, such as `/dev/sdb`
    obstacle  why nothing of it can be erased as things are, empty where it can: a plan with one is blocked
    spared    the manner for those who accept that, by `--allow unwiped`: what can be erased is, the rest stays
    """

    what: tuple[str, ...]
    obstacle: str = ""
    spared: str = ""


@runtime_checkable
class Erases(Protocol):
    """A kind whose removal erases more than the object itself, such as the disks of a host. Pure.

    What was seen of the erasure stands in the memo under `ERASED` before `delete` says that it is done; the history
    of runs keeps it.
    """

    def erasure(self, props: Mapping[str, Value], how: str, reading: Reading | None) -> Erasure | None:
        """What a removal in the manner `how` erases; `props` are as recorded. None where that is nothing."""
        ...


ERASED = "erased"
"""The memo's key for what was seen of an erasure."""


@runtime_checkable
class TellsConsequence(Protocol):
    """A kind that knows what a change in place does to what runs there. Pure."""

    def consequence(self, changes: Sequence[FieldChange]) -> str:
        """A few words such as "live" or "reboots the node"."""
        ...


@runtime_checkable
class Interrupts(Protocol):
    """A kind that knows which of its changes in place interrupt what runs on the object. Pure.

    A node whose machine is interrupted is away meanwhile, so machines of control planes wait until etcd can spare a
    member, and for the one before to be back. Of a kind that does not say, each change counts as one that does.
    """

    def interrupts(self, update: Update) -> bool:
        """Whether what runs is stopped for a while or for good; not where it stands still already."""
        ...


@runtime_checkable
class WeighsDrift(Protocol):
    """A kind that knows how bad it is that somebody else changed or removed its object. Pure."""

    def severity(self, changes: Sequence[FieldChange]) -> Severity:
        """Of putting back `changes`; without any, of an object that is gone."""
        ...


@runtime_checkable
class Patient(Protocol):
    """A kind whose work on an object may take longer than other steps do, and which fails by itself then. Pure."""

    def takes_s(self, job: Job[Any, Any]) -> float:
        """How many seconds a step about this object may take from its first call; `--timeout` may allow more."""
        ...


@runtime_checkable
class TellsBirth(Protocol):
    """A kind of which one should know beforehand how an object comes to be. Pure."""

    def birth(self, wanted: Mapping[str, Value]) -> str:
        """A few words such as "boots from virtual media", for an object that is about to be made.

        `wanted` are its props as far as they are known, with defaults; secret ones are concealed.
        """
        ...


@runtime_checkable
class Precious(Protocol):
    """A kind whose loss is a loss of data: making it anew needs `--allow data-loss`."""

    precious: ClassVar[str]
    """What is lost, for people."""


@runtime_checkable
class LookUpKind(Protocol):
    """A kind that only finds: the newest image of a name, an existing network by its tag.

    It is answered while planning when its props are known, else during apply, and is never on record as ours.
    """

    props: ClassVar[type[Any]]
    outputs: ClassVar[type[Any]]

    def read(self, client: Any, jobs: Sequence[Job[Any, Any]], ctx: Context) -> Mapping[str, Reading]:
        """What is there for `job.wanted`, by job key; `Seen.outputs` is the answer."""
        ...


@runtime_checkable
class Acts(Protocol):
    """A kind whose objects can be told to do something that changes none of their props."""

    def run(self, client: Any, job: Job[Any, Any], ctx: Context) -> Answer:
        """Does the action `job.how`; re-entrant like every verb, and quiet where it is done already.

        `job.applied` are the props as recorded. The outputs of a `Done` replace those on record; None keeps them.
        """
        ...


@runtime_checkable
class Expands(Protocol):
    """A kind whose changes in place may take several steps. Pure: the steps are part of the plan."""

    def expand(self, update: Update) -> Sequence[Update | Run]:
        """The steps that make up a change, in order; `[update]` where one will do.

        Each is of the same address and has a `part` of its own, such as `1.13` or `drain`; the last update reaches
        `update.wanted`. `Run.action` is what `run` is called with. Edges, and what is owed after a crash, are filled
        in by the planner.
        """
        ...


@runtime_checkable
class Imports(Protocol):
    """A kind that can take over an object that somebody else made."""

    def find(self, client: Any, ids: Sequence[str], ctx: Context) -> Mapping[str, Reading]:
        """What is there under ids of the remote, by id; `Seen.props` is complete but for what cannot be read."""
        ...

    def adopt(self, client: Any, job: Job[Any, Any], ctx: Context) -> Answer:
        """Marks the object `job.id` as ours with `job.key`, and changes nothing else about it.

        Fatal when it bears the mark of another lineage.
        """
        ...


@frozen
class Limits:
    """How an endpoint may be called.

    in_flight   calls at the same time
    per_second  calls begun in a second, on average; 0 for no limit
    rest        how long an endpoint is left alone after a call, in parts of what that took: a slow one is asked less
                often; for endpoints with one call in flight
    """

    in_flight: int = 16
    per_second: float = 0.0
    rest: float = 0.0


@runtime_checkable
class Limited(Protocol):
    """A provider whose endpoints bear only so much. Pure."""

    def limits(self, settings: Mapping[str, Value]) -> Limits:
        """The limits of each endpoint of an instance with these settings, of which some may be unknown."""
        ...

    def called_at(self, job: Job[Any, Any]) -> str:
        """Which endpoint a call about this object goes to, such as the address of a BMC; empty for the instance's."""
        ...


@runtime_checkable
class ListsOwned(Protocol):
    """A provider that finds what bears our marks, so that nothing is left behind unseen.

    The kinds of what it lists remove an object of which only key, id and lineage are known.
    """

    def list_owned(self, client: Any, ctx: Context) -> Sequence[Owned]:
        """All that bears a mark of ours, of every kind and of whatever state, in an order in which it can go."""
        ...


@runtime_checkable
class Serves(Protocol):
    """A provider whose objects fetch something from this computer while they are made, such as what they boot.

    Its verbs serve by themselves; this is for serving alone, while nobody calls them or somebody does elsewhere.
    """

    def serve(self, client: Any, jobs: Sequence[Job[Any, Any]], ctx: Context) -> Mapping[str, str]:
        """Serves what these objects fetch, for as long as the process lives, and what others fetch no longer.

        Called again and again with what is being made; changes nothing, and returns at once. By job key: empty where
        it is served, else what it waits for, for people.
        """
        ...

    def fetched(self, client: Any) -> Sequence[Fetch]:
        """What was fetched so far, or the newest of it, in order."""
        ...


@runtime_checkable
class ReadsTables(Protocol):
    """A provider with settings that may name a table beside the cluster file, such as an inventory of hosts.

    The table's rows, by name and in order, take the place of its name before anybody else sees the settings.
    """

    tables: ClassVar[Mapping[str, type[Any]]]
    """By setting: the frozen class of a row."""


@runtime_checkable
class ChecksRows(ReadsTables, Protocol):
    """A provider that knows more of a row than its class says. Pure."""

    def complaints(
        self, settings: Mapping[str, Value], table: str, row: Mapping[str, Value]
    ) -> Iterator[tuple[str, str, str]]:
        """What is wrong with a row of the table `table`: the field, a sentence about it, and what to do.

        Both come as written, with defaults in the row, and may hold what is not known yet.
        """
        ...


@runtime_checkable
class KeepsApart(ReadsTables, Protocol):
    """A provider whose tables have values that only one row can have, such as the address of a BMC. Pure."""

    def single(self, table: str, row: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
        """The fields of a row of the table `table`, and their values in a form that can be compared; no secrets.

        The row has its defaults, and may hold what is not known yet.
        """
        ...


@runtime_checkable
class Claims(Protocol):
    """A provider whose nodes are given something out of a stock, such as a host of an inventory. Pure."""

    def claim(self, part: Slice, held: Mapping[str, str]) -> Mapping[str, str]:
        """What each node of the slice gets, by node name; `Node.claim` has it when it is designed.

        `held` is what nodes of this instance were given at their birth: it stays theirs, whatever the file says by
        now. Nodes that the file has dropped are among them. Raises ProvError naming what is missing.
        """
        ...


AnyKind: TypeAlias = Kind | Gate | LookUpKind


def is_look_up(kind: AnyKind) -> bool:
    """Whether a kind only finds; every other kind that can be read can do more."""
    return not isinstance(kind, Kind | Gate)


@runtime_checkable
class Provider(Protocol):
    """A provider: its name, its settings, its kinds, and how to connect."""

    name: ClassVar[str]
    protocol: ClassVar[int]
    settings: ClassVar[type[Any]]
    kinds: ClassVar[Mapping[str, AnyKind]]
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
    "ERASED",
    "Acts",
    "AnyKind",
    "ChecksRows",
    "Claims",
    "Erases",
    "Erasure",
    "Expands",
    "Gate",
    "Imports",
    "Infrastructure",
    "Interrupts",
    "KeepsApart",
    "Kind",
    "Limited",
    "Limits",
    "ListsOwned",
    "LookUpKind",
    "Patient",
    "PlansDeletion",
    "Precious",
    "Provider",
    "ReadsTables",
    "Serves",
    "TellsBirth",
    "TellsConsequence",
    "WeighsDrift",
]
