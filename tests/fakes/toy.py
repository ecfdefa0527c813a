"""A provider in memory, on the real protocol, whose behaviour a test writes down beforehand.

    cloud = Cloud()
    cloud.script("create", "a", Pending(phase="booting"), Retry("busy"), effect)
    registry = Registry({}, {"toy": ToyProvider(cloud)})

A script is used up one item per call, in order: a `Pending` is answered (the thing exists from then on), an
exception is raised, anything callable is called with the job: what it returns is the answer, and if that is None
the verb goes on as usual. Without a script a verb succeeds.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from attrs import define, evolve, field, frozen

from provisioner.sdk import (
    PROTOCOL,
    Absent,
    Address,
    Answer,
    AnyKind,
    Context,
    Done,
    FieldChange,
    Function,
    Job,
    Pending,
    Reading,
    Secret,
    Seen,
    Unreachable,
    Value,
    output,
    prop,
)

Item = Pending | Exception | Callable[[Job[Any, Any]], Any]


@frozen
class ThingProps:
    """What a thing is made of; `label` is used at birth only and `note` cannot be read back."""

    name: str = prop(immutable=True)
    size: int = prop(default=1)
    label: str = prop(birth=True, default="")
    token: Secret | None = prop(secret=True, default=None)  # noqa: RUF009
    parts: Mapping[str, Any] = field(factory=dict)
    note: str = prop(readable=False, default="")
    seed: Secret | None = prop(birth=True, secret=True, readable=False, default=None)  # noqa: RUF009


@frozen
class ThingOutputs:
    """`revision` counts the changes in place."""

    id: str = output()
    address: str = output()
    revision: int = output(volatile=True)
    password: Secret | None = output(secret=True, default=None)  # noqa: RUF009


@frozen
class GateProps:
    """What the gate watches, by any name."""

    watches: Mapping[str, Any] = field(factory=dict)


@frozen
class GateOutputs:
    """Nothing but an id."""

    id: str = output()


@frozen
class Settings:
    """`place` is where the things of an instance are made."""

    place: str = "here"


@define
class Thing:
    """A thing as the cloud has it."""

    id: str
    address: Address
    props: ThingProps
    revision: int = 1


@define
class Cloud:
    """Everything that exists, by ownership key, and every call that was made."""

    things: dict[str, Thing] = field(factory=dict)
    calls: list[tuple[str, str]] = field(factory=list)
    """Verb and name of every call but reads, in the order in which they began."""
    jobs: list[Job[Any, Any]] = field(factory=list)
    reads: list[tuple[str, ...]] = field(factory=list)
    """The names asked for, by call."""
    places: list[str] = field(factory=list)
    """The place of every connection made."""
    unreachable: set[str] = field(factory=set)
    shut: set[str] = field(factory=set)
    """Names of gates that do not hold yet."""
    silent: set[str] = field(factory=set)
    """Names that reading says nothing about."""
    read_fault: Exception | None = None
    _scripts: dict[tuple[str, str], list[Item]] = field(factory=lambda: defaultdict(list))
    _guard: threading.Lock = field(factory=threading.Lock)
    _made: int = 0

    def script(self, verb: str, name: str, *items: Item) -> None:
        """What the next calls of a verb for the thing of this name do."""
        self._scripts[verb, name].extend(items)

    def names(self) -> list[str]:
        """What exists, sorted."""
        return sorted(thing.address.name for thing in self.things.values())

    def called(self, verb: str) -> list[str]:
        """The names a verb was called for, in order."""
        return [name for told, name in self.calls if told == verb]

    def lose(self, name: str) -> None:
        """Takes a thing away behind everybody's back."""
        self.things = {key: thing for key, thing in self.things.items() if thing.address.name != name}

    def drift(self, name: str, **props: Any) -> None:
        """Changes a thing behind everybody's back."""
        for thing in self.things.values():
            if thing.address.name == name:
                thing.props = evolve(thing.props, **props)

    def enter(self, verb: str, job: Job[Any, Any]) -> Any:
        """Notes a call and does what its script says."""
        with self._guard:
            self.calls.append((verb, job.address.name))
            self.jobs.append(job)
            items = self._scripts[verb, job.address.name]
            item = items.pop(0) if items else None
        if isinstance(item, Exception):
            raise item
        if isinstance(item, Pending):
            return item
        return item(job) if item is not None else None

    def make(self, job: Job[Any, Any]) -> Thing:
        """The thing of this key; the same one however often it is asked for."""
        with self._guard:
            if job.key not in self.things:
                self._made += 1
                self.things[job.key] = Thing(f"toy-{self._made}", job.address, job.wanted)
            return self.things[job.key]


@frozen
class Client:
    """A connection to the cloud at one place."""

    cloud: Cloud
    place: str


class ThingKind:
    """Things: their name is fixed, all else changes in place."""

    props: ClassVar[type[Any]] = ThingProps
    outputs: ClassVar[type[Any]] = ThingOutputs

    def read(self, client: Client, jobs: Sequence[Job[Any, Any]], ctx: Context) -> Mapping[str, Reading]:
        client.cloud.reads.append(tuple(sorted(job.address.name for job in jobs)))
        if client.cloud.read_fault is not None:
            raise client.cloud.read_fault
        asked = [job for job in jobs if job.address.name not in client.cloud.silent]
        return {job.key: _reading(client.cloud, job) for job in asked}

    def create(self, client: Client, job: Job[Any, Any], ctx: Context) -> Answer:
        waiting = client.cloud.enter("create", job)
        if waiting is not None:
            if isinstance(waiting, Pending):
                client.cloud.make(job)
            return waiting
        return Done(_outputs(client.cloud.make(job)))

    def update(self, client: Client, job: Job[Any, Any], ctx: Context) -> Answer:
        waiting = client.cloud.enter("update", job)
        if waiting is not None:
            return waiting
        thing = client.cloud.things[job.key]
        if thing.props != job.wanted:
            thing.props, thing.revision = job.wanted, thing.revision + 1
        return Done(_outputs(thing))

    def delete(self, client: Client, job: Job[Any, Any], ctx: Context) -> Answer:
        waiting = client.cloud.enter("delete", job)
        if waiting is not None:
            return waiting
        client.cloud.things.pop(job.key, None)
        return Done(None)


class VaultKind(ThingKind):
    """Vaults: things that hold data, removed in the manner that fits."""

    precious: ClassVar[str] = "all that is kept in it"

    def how(self, address: Address, going: frozenset[Address], reading: Reading | None) -> tuple[str, str]:
        if isinstance(reading, Unreachable):
            return "force", "out of reach: given up as it is"
        return ("teardown", "goes with all the rest") if len(going) > 1 else ("empty", "is emptied first")

    def consequence(self, changes: Sequence[FieldChange]) -> str:
        return "restarts it" if any(change.path[0] == "size" for change in changes) else ""


class GateKind:
    """A condition that holds unless the cloud says that it is shut."""

    props: ClassVar[type[Any]] = GateProps
    outputs: ClassVar[type[Any]] = GateOutputs

    def check(self, client: Client, job: Job[Any, Any], ctx: Context) -> Answer:
        waiting = client.cloud.enter("check", job)
        if waiting is not None:
            return waiting
        if job.address.name in client.cloud.shut:
            return Pending(note="not yet", after_s=0.01)
        return Done(GateOutputs(id=job.address.name))


def _shout(text: str) -> str:
    if not isinstance(text, str):
        raise ValueError(f"cannot shout {text!r}")
    return text.upper()


@define
class ToyProvider:
    """Things in memory."""

    name: ClassVar[str] = "toy"
    protocol: ClassVar[int] = PROTOCOL
    settings: ClassVar[type[Any]] = Settings
    kinds: ClassVar[Mapping[str, AnyKind]] = {
        "toy.thing": ThingKind(),
        "toy.vault": VaultKind(),
        "toy.gate": GateKind(),
    }
    functions: ClassVar[Mapping[str, Function]] = {"toy.shout": _shout, "toy.burst": lambda text: text + 1}

    cloud: Cloud = field(factory=Cloud)

    def connect(self, settings: Settings) -> Client:
        self.cloud.places.append(settings.place)
        return Client(self.cloud, settings.place)


def _outputs(thing: Thing) -> ThingOutputs:
    password = Secret(f"password-of-{thing.id}")
    return ThingOutputs(thing.id, f"10.0.0.{thing.id.partition('-')[2]}", thing.revision, password)


def _reading(cloud: Cloud, job: Job[Any, Any]) -> Reading:
    if job.address.name in cloud.unreachable:
        return Unreachable("no route")
    thing = cloud.things.get(job.key)
    if thing is None:
        return Absent()
    props: dict[str, Value] = {"name": thing.props.name, "size": thing.props.size, "parts": dict(thing.props.parts)}
    return Seen({**props, "token": thing.props.token})
