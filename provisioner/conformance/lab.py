"""Objects driven through their lives as the engine drives them, call by call, so that a test can stop anywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from provisioner.conformance.back_end import BackEnd
from provisioner.conformance.fakes import FakeContext
from provisioner.conformance.watch import Watcher
from provisioner.errors import ProviderError, Retry
from provisioner.model.address import Address
from provisioner.model.functions import CORE
from provisioner.model.job import Answer, Done, Job, Pending
from provisioner.model.resource import Reading
from provisioner.model.schema import Schema
from provisioner.model.step import ABSENT, FieldChange, Run, Update
from provisioner.model.value import Ref, Value, dig, evaluate, freeze, reveal
from provisioner.sdk.provider import Expands, Kind, PlansDeletion, Provider
from provisioner.state.ulid import new_ulid

LINEAGE, OTHER_LINEAGE = "01k0aaaaaaaaaaaaaaaaaaaaaa", "01k0bbbbbbbbbbbbbbbbbbbbbb"
_MOST_CALLS = 300


@frozen
class Sample:
    """One object to try a kind on.

    props    as a file would give them; a `Ref` to another sample means that one is made first
    changed  other values for everything that changes in place; of a lookup, props for which nothing is there
    actions  what the object can be told to do
    """

    props: Mapping[str, Value]
    changed: Mapping[str, Value] = field(factory=dict)
    actions: tuple[str, ...] = ()


@define
class Held:
    """What is on record about one object."""

    address: Address
    key: str
    lineage: str
    wanted: Any = None
    applied: Any = None
    outputs: Any = None
    id: str | None = None
    phase: str = ""
    memo: Mapping[str, str] = field(factory=dict)
    how: str = ""
    seen: Reading | None = None

    def job(self) -> Job[Any, Any]:
        return Job(
            self.key,
            1,
            self.address,
            self.id,
            self.phase,
            self.memo,
            self.wanted,
            self.applied if self.applied is not None else self.wanted,
            self.outputs,
            self.seen,
            self.how,
            self.lineage,
        )


@define
class Lab:
    """A provider, its remote, and a process that can be dropped at any moment."""

    provider: Provider
    connect: Callable[[], Any]
    remote: BackEnd
    samples: Mapping[str, Sample]
    process: FakeContext = field(factory=FakeContext)
    watcher: Watcher = field(factory=Watcher)
    notes: list[str] = field(factory=list)
    errors: list[ProviderError] = field(factory=list)
    jobs: list[Job[Any, Any]] = field(factory=list)
    answers: list[Any] = field(factory=list)
    steps_made: int = 0
    drop_before: int = -1
    """The process is dropped before this step, counted from 0."""
    lose_answer: int = -1
    """The process is dropped once this step was called, before its answer is on record."""
    _client: Any = None
    _needs: dict[Address, Held] = field(factory=dict)

    def kind(self, target: Address) -> Any:
        return self.provider.kinds[target.kind]

    def schema(self, target: Address) -> Schema:
        return Schema.of(self.kind(target).props)

    def props(self, target: Address) -> Mapping[str, Value]:
        """The props of a sample, with references and calls resolved to what they lead to."""
        given = {name: self.resolved(value) for name, value in self.samples[str(target)].props.items()}
        return self.schema(target).normal(given)

    def changed(self, target: Address) -> Mapping[str, Value]:
        """The changed values of a sample."""
        return {name: self.resolved(value) for name, value in self.samples[str(target)].changed.items()}

    def resolved(self, value: Value) -> Value:
        return evaluate(value, self._output, {**CORE, **self.provider.functions})

    def _output(self, ref: Ref) -> Value:
        if ref.to not in self._needs:
            self._needs[ref.to] = self.make(ref.to)
        held = self._needs[ref.to]
        return dig(Schema.of(self.kind(ref.to).outputs).dump(held.outputs), ref.output)

    # one life

    def hold(self, target: Address, *, lineage: str = LINEAGE) -> Held:
        """A fresh object on record, about to be made."""
        return Held(target, new_ulid(), lineage, self.schema(target).build(self.props(target)))

    def make(self, target: Address, *, lineage: str = LINEAGE) -> Held:
        """An object of a sample, made."""
        held = self.hold(target, lineage=lineage)
        self.finish("create", held)
        return held

    def change(self, held: Held, changed: Mapping[str, Value]) -> None:
        """Changes some props in place, in the steps that the kind makes of it."""
        for step in self.steps(held, changed):
            match step:
                case Update():
                    held.wanted = self.schema(held.address).build(step.wanted)
                    self.finish("update", held)
                case Run():
                    held.how = step.action
                    self.finish("run", held)
                    held.how = ""

    def steps(self, held: Held, changed: Mapping[str, Value]) -> Sequence[Update | Run]:
        """The steps of a change."""
        before = self.schema(held.address).dump(held.applied)
        update = Update(
            address=held.address,
            provider=self.provider.name,
            wanted={**before, **changed},
            changes=tuple(FieldChange((name,), before.get(name, ABSENT), value) for name, value in changed.items()),
        )
        kind = self.kind(held.address)
        return tuple(kind.expand(update)) if isinstance(kind, Expands) else (update,)

    def remove(self, held: Held) -> None:
        """Removes an object in the manner that fits."""
        held.applied, held.wanted = held.applied if held.applied is not None else held.wanted, None
        kind = self.kind(held.address)
        if isinstance(kind, PlansDeletion):
            held.how, _ = kind.how(held.address, frozenset({held.address}), self.read(held))
        self.finish("delete", held)

    def finish(self, verb: str, held: Held) -> None:
        """Calls a verb until it is done."""
        for _ in range(_MOST_CALLS):
            if self._step(verb, held):
                return
        raise AssertionError(f"{verb} of {held.address} is not done after {_MOST_CALLS} calls")

    def _step(self, verb: str, held: Held) -> bool:
        """One call; whether it was the last one. What is not recorded is as if the process had died."""
        number, self.steps_made = self.steps_made, self.steps_made + 1
        if number == self.drop_before:
            self.drop()
        try:
            answer = self.call(verb, held)
        except Retry as err:
            self.passes(err.after_s)
            return False
        self.passes(answer.after_s if isinstance(answer, Pending) else 0.0)
        if number == self.lose_answer:
            self.drop()
            return False
        self._record(held, answer)
        return isinstance(answer, Done)

    def call(self, verb: str, held: Held) -> Answer:
        """One call of a verb; what it raises comes out."""
        kind, job, ctx = self.kind(held.address), held.job(), self.process.about(held.key)
        self.jobs.append(job)
        what = f"{verb} of {held.address}"
        answer: Answer = self.attempt(what, lambda: getattr(kind, verb)(self.client(), job, ctx))
        self.answers.append(answer)
        if isinstance(answer, Pending):
            self.notes.append(answer.note)
        return answer

    def attempt(self, what: str, work: Callable[[], Any]) -> Any:
        """Calls something, and remembers the error it ends with."""
        try:
            return self.watcher.call(what, work)
        except ProviderError as err:
            self.errors.append(err)
            raise

    def read(self, *held: Held) -> Reading:
        """What is there of the first."""
        return self.read_all(held)[held[0].key]

    def read_all(self, held: Sequence[Held]) -> Mapping[str, Reading]:
        """What is there, by key."""
        kind, ctx = self.kind(held[0].address), self.process.about("")
        jobs = [one.job() for one in held]
        found: Mapping[str, Reading] = self.attempt("read", lambda: kind.read(self.client(), jobs, ctx))
        self.answers += found.values()
        assert set(found) == {job.key for job in jobs}, "read answers for each job by its key"
        return found

    def client(self) -> Any:
        if self._client is None:
            self._client = self.connect()
        return self._client

    def drop(self) -> None:
        """Ends the process where it stands: connections and tasks are gone, what is on record is not."""
        self._client = None
        self.process = FakeContext(self.process.clock, self.process.said, self.process.state)

    def passes(self, seconds: float) -> None:
        """Lets time pass between calls, for the remote and for tasks."""
        self.process.clock.passes(seconds)
        self.process.run_tasks()
        self.remote.pass_time(seconds)

    def _record(self, held: Held, answer: Answer) -> None:
        match answer:
            case Pending():
                held.id, held.phase, held.memo = answer.id or held.id, answer.phase, answer.memo
                held.seen = self.read(held) if isinstance(self.kind(held.address), Kind) else None
            case Done(outputs):
                if held.wanted is not None:
                    held.applied, held.wanted = held.wanted, None
                if outputs is not None:
                    held.outputs, held.id = outputs, outputs.id
                held.phase, held.memo, held.seen = "", {}, None


def same(schema: Schema, wanted: Mapping[str, Value], found: Mapping[str, Value]) -> dict[str, tuple[Any, Any]]:
    """The readable properties that differ: what was wanted, and what was found."""
    differ: dict[str, tuple[Any, Any]] = {}
    for name, item in schema.fields.items():
        if not item.marks.readable or (item.marks.birth and name not in found):
            continue
        alike = item.marks.same_as or (lambda value: value)
        expected, got = _plain(wanted.get(name)), _plain(found.get(name, ABSENT))
        if got == _plain(ABSENT) or alike(expected) != alike(got):
            differ[name] = ("(secret)", "(secret)") if item.marks.secret else (expected, got)
    return differ


def _plain(value: Value) -> Any:
    return reveal(freeze(value))
