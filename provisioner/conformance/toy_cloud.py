"""The cloud behind the toy provider: in memory, with a script for every call, outliving any run.

    cloud = Cloud()
    cloud.script("create", "a", Pending(phase="booting"), Retry("busy"), effect)

A script is used up one item per call, in order: a `Pending` is answered (the thing exists from then on), an
exception is raised, anything callable is called with the job: what it returns is the answer, and if that is None
the verb goes on as usual. Without a script a verb succeeds. An action is scripted as `run:drain`; `read`, which is
about many things at once, for no name, and with exceptions only.

A crash is simulated by dropping the engine and starting another one on the same cloud.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from attrs import define, evolve, field, frozen

from provisioner.sdk import Address, Answer, Fatal, Fetch, Job, Pending, Secret, output, prop

Item: TypeAlias = Pending | Exception | Callable[[Job[Any, Any]], Any]
Watch: TypeAlias = Callable[[str, str, Job[Any, Any]], None]
"""Called with `before` or `after`, the verb and the job, around every call but reads; what it raises comes out of
the call. After means that the call had its effect and its answer is lost."""


@frozen
class ThingProps:
    """What a thing is made of; `label` is used at birth only and `note` cannot be read back.

    The cloud keeps `host` in lower case. `at` is the endpoint of the thing, if it has one of its own.
    """

    name: str = prop(immutable=True)
    size: int = prop(default=1)
    label: str = prop(birth=True, default="")
    token: Secret | None = prop(secret=True, default=None)  # noqa: RUF009
    parts: Mapping[str, Any] = field(factory=dict)
    note: str = prop(readable=False, default="")
    seed: Secret | None = prop(birth=True, secret=True, readable=False, default=None)  # noqa: RUF009
    host: str = prop(same_as=str.lower, default="")
    at: str = prop(immutable=True, default="")


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
class DiskProps:
    """A disk cannot shrink or grow: another `size` is another disk."""

    size: int = prop(immutable=True, default=1)
    tier: str = prop(default="slow")


@frozen
class DiskOutputs:
    """`name` is what the cloud calls it, and no two disks are called the same."""

    id: str = output()
    name: str = output()


@frozen
class ServerProps:
    """`version` goes up, one at a time."""

    version: int = prop(default=1)
    size: int = prop(default=1)


@frozen
class ServerOutputs:
    """`boots` counts since its birth, the first one included."""

    id: str = output()
    boots: int = output(volatile=True)


@frozen
class ImageProps:
    """The name to look for."""

    name: str = prop()


@frozen
class ImageOutputs:
    """What goes by the name today."""

    id: str = output()
    digest: str = output()


@frozen
class UploadProps:
    """What is sent; other content is another upload."""

    name: str = prop(immutable=True)
    content: str = prop(immutable=True, default="")


@frozen
class UploadOutputs:
    """Where it lies."""

    id: str = output()


@define
class Thing:
    """A thing as the cloud has it; `remote` is what it is called there."""

    id: str
    address: Address
    props: Any
    revision: int = 1
    lineage: str = ""
    remote: str = ""


@define
class Server(Thing):
    """A server, with what the actions on it have left: the versions it has snapshots of, and how often it booted."""

    cordoned: bool = False
    snapshots: list[int] = field(factory=list)
    boots: int = 1


@define
class Cloud:
    """Everything that exists, by ownership key, and every call that was made."""

    things: dict[str, Thing] = field(factory=dict)
    images: dict[str, str] = field(factory=dict)
    """The digest of each image, by name."""
    calls: list[tuple[str, str]] = field(factory=list)
    """Verb and name of every call but reads, in the order in which they began; an action is `run:drain`."""
    jobs: list[Job[Any, Any]] = field(factory=list)
    reads: list[tuple[str, ...]] = field(factory=list)
    """The names asked for, by call."""
    writes: int = 0
    """How often something was changed, by whatever call."""
    peaks: dict[str, int] = field(factory=dict)
    """The most calls that were in flight at the same time, by endpoint."""
    places: list[str] = field(factory=list)
    """The place of every connection made."""
    unreachable: set[str] = field(factory=set)
    shut: set[str] = field(factory=set)
    """Names of gates that do not hold yet."""
    silent: set[str] = field(factory=set)
    """Names that reading says nothing about."""
    serving: list[str] = field(factory=list)
    """Names of what is served."""
    fetches: list[Fetch] = field(factory=list)
    read_fault: Exception | None = None
    sending: Callable[[Job[Any, Any]], None] = lambda job: None
    """What takes long about an upload; it is there once this has returned."""
    watch: Watch = lambda moment, verb, job: None
    _scripts: dict[tuple[str, str], list[Item]] = field(factory=lambda: defaultdict(list))
    _guard: threading.Lock = field(factory=threading.Lock)
    _in_flight: dict[str, int] = field(factory=lambda: defaultdict(int))
    _made: int = 0

    # what tests say and ask

    def script(self, verb: str, name: str, *items: Item) -> None:
        """What the next calls of a verb for the thing of this name do."""
        self._scripts[verb, name].extend(items)

    def names(self) -> list[str]:
        """What exists, sorted."""
        return sorted(thing.address.name for thing in self.things.values())

    def remotes(self) -> list[str]:
        """What exists, as the cloud calls it, sorted."""
        return sorted(thing.remote for thing in self.things.values())

    def find(self, name: str) -> Any:
        """The newest thing of this name; raises KeyError if there is none."""
        found = [thing for thing in self.things.values() if thing.address.name == name]
        if not found:
            raise KeyError(name)
        return found[-1]

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

    def plant(self, address: Address, props: Any, *, lineage: str = "") -> Thing:
        """A thing that was made by hand, or by another state if it has a lineage."""
        with self._guard:
            thing = Thing(
                self._next_id(), address, props, lineage=lineage, remote=getattr(props, "name", address.name)
            )
            self.things[f"planted-{thing.id}"] = thing
            return thing

    # what the kinds use

    @contextmanager
    def call(self, verb: str, job: Job[Any, Any]) -> Iterator[Answer | None]:
        """The time of one call about a thing; gives what its script answers, None to go on as usual."""
        endpoint = endpoint_of(job)
        with self._guard:
            self._in_flight[endpoint] += 1
            self.peaks[endpoint] = max(self.peaks.get(endpoint, 0), self._in_flight[endpoint])
        try:
            self.watch("before", verb, job)
            yield self.enter(verb, job)
            self.watch("after", verb, job)
        finally:
            with self._guard:
                self._in_flight[endpoint] -= 1

    def ask(self, names: Iterable[str]) -> None:
        """Notes that reading asks for some names, or ids, and raises what it is to raise."""
        with self._guard:
            self.reads.append(tuple(sorted(names)))
            scripted = self._scripts["read", ""]
            fault = scripted.pop(0) if scripted else self.read_fault
        if isinstance(fault, Exception):
            raise fault

    def change(self, thing: Thing, **attributes: Any) -> None:
        """Writes attributes of a thing, if that makes a difference."""
        with self._guard:
            if any(getattr(thing, name) != value for name, value in attributes.items()):
                self.writes += 1
                for name, value in attributes.items():
                    setattr(thing, name, value)
                if "props" in attributes:
                    thing.revision += 1

    def remove(self, job: Job[Any, Any]) -> None:
        """Removes the thing of this key, if there is one; what belongs to another state stays."""
        with self._guard:
            thing = self.things.get(job.key)
            if thing is not None and thing.lineage == job.lineage:
                del self.things[job.key]
                self.writes += 1

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

    def make(self, job: Job[Any, Any], remote: str, *, cls: type[Thing] = Thing, unique: bool = False) -> Any:
        """The thing of this key; the same one however often it is asked for.

        Fatal where the name is taken: by a thing of another lineage, or by any, where names are unique.
        """
        with self._guard:
            if job.key not in self.things:
                self._refuse_taken(job, remote, unique=unique)
                thing = cls(self._next_id(), job.address, job.wanted, lineage=job.lineage, remote=remote)
                self.things[job.key] = thing
                self.writes += 1
            return self.things[job.key]

    def thing(self, job: Job[Any, Any]) -> Any:
        """The thing of this key; Fatal if it is gone."""
        thing = self.things.get(job.key)
        if thing is None:
            raise Fatal("the thing is gone", remedy="plan again: it will be made anew", effect=False)
        return thing

    def adopt(self, job: Job[Any, Any]) -> Thing:
        """Marks the thing of the job's id with its key."""
        with self._guard:
            key, thing = next(((key, thing) for key, thing in self.things.items() if thing.id == job.id), ("", None))
            if thing is None:
                raise Fatal(
                    "there is no such thing to take over",
                    detail=f"its id would be {job.id}",
                    remedy="name one that is there",
                    effect=False,
                )
            if thing.lineage not in ("", job.lineage):
                raise Fatal(
                    "the thing belongs to another state",
                    detail=f"its id is {job.id}",
                    remedy="remove it there first",
                    effect=False,
                )
            self.writes += key != job.key
            del self.things[key]
            thing.lineage, thing.address = job.lineage, job.address
            self.things[job.key] = thing
            return thing

    def _refuse_taken(self, job: Job[Any, Any], remote: str, *, unique: bool) -> None:
        for other in self.things.values():
            same = other.address.kind == job.address.kind and other.remote == remote
            if same and (unique or other.lineage != job.lineage):
                raise Fatal(
                    "the name is taken",
                    detail=f"there is another {remote}",
                    remedy="give it another name, or remove the other one",
                    effect=False,
                )

    def _next_id(self) -> str:
        self._made += 1
        return f"toy-{self._made}"


def endpoint_of(job: Job[Any, Any]) -> str:
    """The endpoint that a thing has of its own, empty for none."""
    props = job.wanted or job.applied
    return getattr(props, "at", "") if props is not None else ""


def wanted(job: Job[Any, Any]) -> Any:
    """The props to reach, which a verb that makes or changes something always has."""
    assert job.wanted is not None, "the engine calls with known props"
    return job.wanted
