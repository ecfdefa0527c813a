"""Running steps: intent on record, call, checkpoint or result on record, and again.

One thread, this one, owns the state and all decisions; calls run on a pool and come back through a queue.
Whatever has come back is recorded in one commit before anything new is begun, so under load a commit carries
many entries. A step that answers `Pending` holds no thread: it waits on a heap, and steps of one kind that are
due together are read together.
"""

from __future__ import annotations

import heapq
import queue
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from attrs import define, field, frozen

from provisioner.engine.clients import Clients, recorded_outputs
from provisioner.engine.context import CallContext
from provisioner.engine.faults import fault
from provisioner.engine.intent import intended, opened, pending, reached, refused, withdrawn
from provisioner.engine.observe import job_for
from provisioner.engine.tasks import Tasks
from provisioner.engine.walk import Outcome, Walk
from provisioner.errors import Fatal, OperatorNeeded, ProvError, Retry
from provisioner.model.event import (
    Event,
    RunEnded,
    RunStarted,
    StepDone,
    StepFailed,
    StepProgress,
    StepSkipped,
    StepStarted,
    Stopping,
)
from provisioner.model.job import Answer, Done, Pending
from provisioner.model.resource import Reading, Unreachable
from provisioner.model.state import Change, Drop, Entry, Fence, Put, State, Status
from provisioner.model.step import Adopt, Check, Create, Delete, Forget, Keep, LookUp, Run, Step, Update
from provisioner.plugins.registry import Registry
from provisioner.sdk.provider import AnyKind, Gate, Kind
from provisioner.sdk.state_store import StateStore

WORKERS = 32
DEADLINE_S = 1200.0
"""How long a step may take from its first call, unless the run says otherwise."""
SETTLE_S = 60.0
"""How long settling waits for what an earlier run began."""
_FIRST_POLL_S = 0.05
_REMIND_S = 10.0
"""After how long an unchanged note is told again."""


@frozen
class RunResult:
    """How a run ended. `left` counts steps that were cut short, and go on in the next run."""

    done: int
    failed: int
    skipped: int
    left: int

    @property
    def complete(self) -> bool:
        return not (self.failed or self.skipped or self.left)


@define
class _Work:
    """A step at work."""

    id: str
    verb: str
    kind: AnyKind
    entry: Entry
    previous: Entry | None
    began: float
    polls: int = 0
    note: str = ""
    told: float = 0.0


@frozen
class _Answered:
    work: _Work
    answer: Answer | Exception


@frozen
class _Read:
    works: Sequence[_Work]
    readings: Mapping[str, Reading]


@frozen
class _Said:
    work: _Work
    note: str


@frozen
class _Wake:
    """Something outside happened: look again."""


@define
class Engine:
    """One run over one state, from the first intent to the last record."""

    state: State
    store: StateStore
    fence: Fence
    registry: Registry
    clients: Clients
    emit: Callable[[Event], None]
    now: Callable[[], datetime]
    deadline_s: float = DEADLINE_S
    _inbox: queue.SimpleQueue[_Answered | _Read | _Said | _Wake] = field(factory=queue.SimpleQueue)
    _timers: list[tuple[float, int, _Work]] = field(factory=list)
    _ticket: int = 0
    _calls: int = 0
    _tasks: Tasks = field(factory=Tasks)
    _stopping: bool = False
    _settling: bool = False

    @property
    def stopped(self) -> bool:
        """Whether somebody asked to stop."""
        return self._stopping

    def stop(self) -> None:
        """Begin nothing more and let calls in flight finish. Safe to call from a signal handler."""
        self._stopping = True
        self._inbox.put(_Wake())

    def commit(self, changes: Sequence[Change]) -> None:
        """Puts changes on record and into the snapshot."""
        if changes:
            serial = self.store.commit(changes, self.fence)
            self.state = self.state.after(tuple(changes), serial)

    def settle(self, unfinished: Iterable[Entry]) -> RunResult:
        """Finishes what an earlier run left half done, with the values stored then, whatever the file says.

        What takes longer than `SETTLE_S` is left as it is, for a plan to go on with: it may wait for something
        that only a plan can bring about.
        """
        verbs = {Status.CREATING: "create", Status.UPDATING: "update", Status.DELETING: "delete"}
        entries = {f"{verbs[entry.status]}:{entry.address}": entry for entry in unfinished}
        self._settling = True

        def begin(id_: str) -> tuple[_Work, Change | None]:
            entry = entries[id_]
            kind = self.registry.kind(entry.address.kind)
            return _Work(id_, verbs[entry.status], kind, entry, None, time.monotonic()), None

        names = {id_: (verbs[entry.status], str(entry.address)) for id_, entry in entries.items()}
        try:
            return self._run("settle", names, dict.fromkeys(entries, ()), begin)
        finally:
            self._settling = False

    def apply(self, steps: Iterable[Step]) -> RunResult:
        """Does the steps of a plan, each after those it names."""
        by_id = {step.id: step for step in steps if not isinstance(step, Keep)}

        def begin(id_: str) -> tuple[_Work | None, Change | None]:
            return self._begin(by_id[id_])

        names = {id_: (step.verb, str(step.address)) for id_, step in by_id.items()}
        return self._run("apply", names, {id_: step.after for id_, step in by_id.items()}, begin)

    # the loop

    def _run(
        self,
        doing: str,
        names: Mapping[str, tuple[str, str]],
        needs: Mapping[str, Iterable[str]],
        begin: Callable[[str], tuple[_Work | None, Change | None]],
    ) -> RunResult:
        walk = Walk(needs)
        began = time.monotonic()
        told = False
        self.emit(RunStarted(doing, len(names)))
        with ThreadPoolExecutor(WORKERS, "call") as pool:
            while True:
                if self._stopping and not told:
                    told = True
                    self.emit(Stopping())
                if not self._stopping:
                    self._begin_ready(walk, names, begin, pool)
                    self._fire_due(pool)
                if not self._calls and (self._stopping or not self._timers):
                    break
                self._take(self._arrived(), walk, names, pool)
        self._timers.clear()
        result = RunResult(
            walk.count(Outcome.DONE),
            walk.count(Outcome.FAILED),
            walk.count(Outcome.SKIPPED),
            len(names) - len(walk.outcome),
        )
        self.emit(RunEnded(result.done, result.failed, result.skipped + result.left, time.monotonic() - began))
        return result

    def _begin_ready(
        self,
        walk: Walk,
        names: Mapping[str, tuple[str, str]],
        begin: Callable[[str], tuple[_Work | None, Change | None]],
        pool: ThreadPoolExecutor,
    ) -> None:
        while ids := walk.take():
            works: list[_Work] = []
            changes: list[Change] = []
            for id_ in ids:
                self.emit(StepStarted(id_, *names[id_]))
                try:
                    work, change = begin(id_)
                except Exception as err:
                    self._failed(id_, names, err if isinstance(err, ProvError) else fault(err), walk)
                    continue
                if change is not None:
                    changes.append(change)
                if work is None:
                    walk.done(id_)
                    self.emit(StepDone(id_, *names[id_], 0.0))
                else:
                    works.append(work)
            self.commit(changes)
            for work in works:
                self._call(work, None, pool)

    def _arrived(self) -> list[_Answered | _Read | _Said | _Wake]:
        """What came back; waits until something does or a timer is due."""
        timeout = max(0.0, self._timers[0][0] - time.monotonic()) if self._timers and not self._stopping else None
        try:
            items = [self._inbox.get(timeout=timeout)]
        except queue.Empty:
            return []
        while not self._inbox.empty():
            items.append(self._inbox.get())
        return items

    def _take(
        self,
        items: Iterable[_Answered | _Read | _Said | _Wake],
        walk: Walk,
        names: Mapping[str, tuple[str, str]],
        pool: ThreadPoolExecutor,
    ) -> None:
        changes: list[Change] = []
        afterwards: list[Callable[[], None]] = []
        for item in items:
            match item:
                case _Said(work, note):
                    self._tell(work, note, None)
                case _Read(works, readings):
                    self._calls -= 1
                    silent = Unreachable("the provider gave no answer for it")
                    for work in works:
                        self._call(work, readings.get(work.entry.key, silent), pool)
                case _Answered(work, answer):
                    self._calls -= 1
                    change, then = self._answered(work, answer, walk, names)
                    if change is not None:
                        changes.append(change)
                    afterwards.append(then)
                case _Wake():
                    pass
        self.commit(changes)
        for then in afterwards:
            then()

    def _answered(
        self, work: _Work, answer: Answer | Exception, walk: Walk, names: Mapping[str, tuple[str, str]]
    ) -> tuple[Change | None, Callable[[], None]]:
        """The change to record for an answer, and what to do once it is on record."""
        match answer:
            case Done(outputs):
                seconds = time.monotonic() - work.began

                def finish() -> None:
                    walk.done(work.id)
                    self.emit(StepDone(work.id, *names[work.id], seconds))

                try:
                    return reached(work.entry, work.kind, outputs), finish
                except Exception as err:
                    misfit = fault(err)  # outputs that are not of their class; others may have finished well
                    return None, lambda: self._failed(work.id, names, misfit, walk)
            case Pending():
                before, work.entry = work.entry, pending(work.entry, answer)
                self._tell(work, answer.note, answer.progress)
                moved = work.entry != before and work.verb != "check"
                return (Put(work.entry) if moved else None), lambda: self._later(work, answer.after_s, walk, names)
            case Retry():
                self._tell(work, answer.summary, None)
                return None, lambda: self._later(work, answer.after_s, walk, names, not_before_s=answer.after_s)
            case Fatal() if work.verb != "check":
                return (
                    refused(work.entry, work.previous, answer),
                    lambda: self._failed(work.id, names, answer, walk),
                )
            case OperatorNeeded():
                back = withdrawn(work.entry, work.previous, answer)
                return back, lambda: self._failed(work.id, names, answer, walk)
            case ProvError():
                return None, lambda: self._failed(work.id, names, answer, walk)
            case _:
                return None, lambda: self._failed(work.id, names, fault(answer), walk)

    def _begin(self, step: Step) -> tuple[_Work | None, Change | None]:
        kind = self.registry.kind(step.address.kind)
        entry = self.state.entries.get(step.address)
        match step:
            case Forget():
                return None, Drop(step.address, step.generation)
            case Create() | Update() | Check():
                lookup = recorded_outputs(self.state)
                props = intended(step.wanted, kind, lookup, self.clients.functions())
            case Delete():
                if entry is None:
                    return None, None
                props = {}
            case Keep() | Adopt() | Run() | LookUp():
                raise AssertionError(f"{step.id} is no work of this engine")
        fresh = opened(step, entry, props)
        work = _Work(step.id, step.verb, kind, fresh, entry, time.monotonic())
        return work, None if isinstance(step, Check) else Put(fresh)

    # calls

    def _call(self, work: _Work, seen: Reading | None, pool: ThreadPoolExecutor) -> None:
        def say(note: str) -> None:
            self._inbox.put(_Said(work, note))

        context = CallContext(self.now, say, lambda: self._stopping, self._tasks, work.entry.key)
        state = self.state

        def call() -> None:
            try:
                client = self.clients.client(work.entry.provider, recorded_outputs(state))
                verb = getattr(work.kind, work.verb)
                job = job_for(work.entry, work.kind, state.lineage, seen=seen)
                self._inbox.put(_Answered(work, verb(client, job, context)))
            except Exception as err:
                self._inbox.put(_Answered(work, err))

        self._calls += 1
        pool.submit(call)

    def _read(self, works: Sequence[_Work], pool: ThreadPoolExecutor) -> None:
        kind, instance = works[0].kind, works[0].entry.provider
        assert isinstance(kind, Kind)
        context = CallContext(self.now, lambda note: None, lambda: self._stopping, self._tasks)
        state = self.state

        def read() -> None:
            try:
                jobs = [job_for(work.entry, kind, state.lineage) for work in works]
                client = self.clients.client(instance, recorded_outputs(state))
                readings = kind.read(client, jobs, context)
            except ProvError as err:
                readings = {work.entry.key: Unreachable(err.summary) for work in works}
            except Exception as err:
                readings = {work.entry.key: Unreachable(fault(err).detail) for work in works}
            self._inbox.put(_Read(works, readings))

        self._calls += 1
        pool.submit(read)

    def _later(
        self,
        work: _Work,
        after_s: float,
        walk: Walk,
        names: Mapping[str, tuple[str, str]],
        not_before_s: float = 0.0,
    ) -> None:
        """Puts a step on the heap; its polls start quickly and slow down to what it asked for."""
        now = time.monotonic()
        if self._settling and now - work.began > SETTLE_S:
            return
        if now - work.began > self.deadline_s:
            late = ProvError(
                "a step did not finish in time",
                detail=f"after {self.deadline_s:.0f} s: {work.note or 'no news'}",
                remedy="look into what it waits for; the next run goes on from here",
            )
            self._failed(work.id, names, late, walk)
            return
        delay = max(not_before_s, min(after_s, _FIRST_POLL_S * 2 ** min(work.polls, 16)))
        work.polls += 1
        self._ticket += 1
        heapq.heappush(self._timers, (now + delay, self._ticket, work))

    def _fire_due(self, pool: ThreadPoolExecutor) -> None:
        due: dict[tuple[str, str], list[_Work]] = defaultdict(list)
        while self._timers and self._timers[0][0] <= time.monotonic():
            _, _, work = heapq.heappop(self._timers)
            due[work.entry.provider, work.entry.address.kind].append(work)
        for works in due.values():
            if isinstance(works[0].kind, Gate):
                for work in works:
                    self._call(work, None, pool)
            else:
                self._read(works, pool)

    # what people hear

    def _tell(self, work: _Work, note: str, progress: float | None) -> None:
        fresh = note != work.note or time.monotonic() - work.told > _REMIND_S
        if note and fresh:
            work.note, work.told = note, time.monotonic()
            self.emit(StepProgress(work.id, str(work.entry.address), note, progress))

    def _failed(self, id_: str, names: Mapping[str, tuple[str, str]], err: ProvError, walk: Walk) -> None:
        self.emit(StepFailed(id_, *names[id_], err.summary, err.detail, err.remedy))
        for other, because in walk.failed(id_):
            self.emit(StepSkipped(other, *names[other], because))
