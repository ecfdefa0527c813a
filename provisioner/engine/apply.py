"""Running steps: intent on record, call, checkpoint or result on record, and again.

One thread, this one, owns the state and all decisions; calls run on an executor and come back to it. Whatever has
come back is recorded in one commit before anything new is begun, so under load a commit carries many entries. A step
that answers `Pending` holds no thread: it waits on a heap, and steps of one kind that are due together are read
together. Every call is admitted by the governor of its endpoint before it takes a thread, and a step's intent goes
on record only then.

    ready ──► taken up ──► admitted ──► intent on record ──► called ──► recorded ──► done, failed
                              ▲                                            │
                              └── read, in batches ◄── due ◄── later ◄─────┘ pending, retry
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from math import inf

from attrs import define, field, frozen

from provisioner.engine.calls import Calls
from provisioner.engine.clients import Clients, RecordedOutputs
from provisioner.engine.endpoints import Endpoints
from provisioner.engine.executor import Executor
from provisioner.engine.faults import fault
from provisioner.engine.intent import (
    deposed,
    intended,
    opened,
    pending,
    reached,
    refused,
    reordering,
    withdrawn,
)
from provisioner.engine.looks import Group, Looks
from provisioner.engine.observe import job_for
from provisioner.engine.queues import First, Look, Next, Queues, Wish
from provisioner.engine.rollback import Rollbacks
from provisioner.engine.tasks import Tasks
from provisioner.engine.walk import Outcome, Walk
from provisioner.engine.work import Answered, FoundOut, Said, Wake, Work
from provisioner.errors import EndpointDown, Fatal, OperatorNeeded, ProvError, Retry
from provisioner.model.address import Address
from provisioner.model.event import (
    EndpointHeld,
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
from provisioner.model.job import Done, Pending
from provisioner.model.resource import Unreachable
from provisioner.model.rollout import Rollout
from provisioner.model.state import Change, Drop, Entry, Fence, Put, Records, Status
from provisioner.model.step import Check, Delete, Forget, Keep, LookUp, Step
from provisioner.model.value import Value
from provisioner.plugins.registry import Registry
from provisioner.sdk.provider import ERASED, Gate, Kind, Patient
from provisioner.sdk.state_store import StateStore

DEADLINE_S = 1200.0
"""How long a step may take from its first call, unless the run or its kind allows more."""
SETTLE_S = 60.0
"""How long settling waits for what an earlier run began."""
_FIRST_POLL_S = 0.05
_REMIND_S = 10.0
"""After how long an unchanged note is told again."""
_SETTLING: Mapping[Status, str] = {
    Status.CREATING: "create",
    Status.ADOPTING: "adopt",
    Status.UPDATING: "update",
    Status.RUNNING: "run",
    Status.DELETING: "delete",
}
_Begin = Callable[[str], tuple[Work | None, Sequence[Change]]]


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
class Engine:
    """One run over one state, from the first intent to the last record.

    `found` are answers of look-ups: those that the plan brought, and those of this run.
    """

    records: Records
    store: StateStore
    fence: Fence
    registry: Registry
    clients: Clients
    endpoints: Endpoints
    executor: Executor
    emit: Callable[[Event], None]
    now: Callable[[], datetime]
    deadline_s: float = DEADLINE_S
    found: dict[Address, Mapping[str, Value]] = field(factory=dict)
    erased: list[str] = field(factory=list)
    """What removals saw of what they erased, for the history of runs."""
    _queues: Queues = field(init=False)
    _looks: Looks = field(factory=Looks)
    _calls: Calls = field(init=False)
    _walk: Walk = field(factory=lambda: Walk({}))
    _names: dict[str, tuple[str, str]] = field(factory=dict)
    _in_flight: int = 0
    _stopping: bool = False
    _patience_s: float = inf

    def __attrs_post_init__(self) -> None:
        self._queues = Queues(self.endpoints.limits)
        tasks = Tasks(self.executor.start)
        lookup = RecordedOutputs(self.records, self.found)
        self._calls = Calls(
            self.executor,
            self.clients,
            lookup,
            self.records.lineage,
            tasks,
            self.now,
            lambda: self._stopping,
            self.store.derive,
        )

    @property
    def stopped(self) -> bool:
        """Whether somebody asked to stop."""
        return self._stopping

    def stop(self) -> None:
        """Begin nothing more and let calls in flight finish. Safe to call from a signal handler."""
        self._stopping = True
        self.executor.post(Wake())

    def commit(self, changes: Sequence[Change]) -> None:
        """Puts changes on record and into the snapshot."""
        if changes:
            self.records.take(changes, self.store.commit(changes, self.fence))

    def settle(self, unfinished: Iterable[Entry], guards: Mapping[Address, Check] | None = None) -> RunResult:
        """Finishes what an earlier run left half done, with the values stored then, whatever the file says.

        What takes longer than `SETTLE_S` is left as it is, for a plan to go on with: it may wait for something
        that only a plan can bring about. `guards` are what must hold, by address, before some of it is gone on with.
        """
        entries = {f"{_SETTLING[entry.status]}:{entry.address}#{entry.generation}": entry for entry in unfinished}
        checks = {check.id: check for check in (guards or {}).values()}

        def begin(id_: str) -> tuple[Work | None, Sequence[Change]]:
            if id_ in checks:
                return self._begin(checks[id_])
            entry = entries[id_]
            return self._work(id_, _SETTLING[entry.status], entry, None), ()

        needs: dict[str, tuple[str, ...]] = dict.fromkeys(checks, ())
        for id_, entry in entries.items():
            guard = (guards or {}).get(entry.address)
            needs[id_] = (guard.id,) if guard is not None else ()
        names = {id_: (_SETTLING[entry.status], str(entry.address)) for id_, entry in entries.items()}
        names |= {id_: (check.verb, str(check.address)) for id_, check in checks.items()}
        self._patience_s = SETTLE_S
        try:
            return self._run("settle", Walk(needs), names, begin)
        finally:
            self._patience_s = inf

    def apply(self, steps: Iterable[Step], rollouts: Sequence[Rollout] = ()) -> RunResult:
        """Does the steps of a plan, each after those it names, and members of rollouts in turns."""
        by_id: dict[str, Step] = {}
        reordered: list[Change] = []
        for step in steps:
            if isinstance(step, Keep):
                reordered += reordering(step, self.records.entries.get(step.address))
            else:
                by_id[step.id] = step
        self.commit(reordered)
        walk = Walk({id_: s.after for id_, s in by_id.items()}, {id_: s.turn for id_, s in by_id.items()}, rollouts)
        names = {id_: (step.verb, str(step.address)) for id_, step in by_id.items()}
        rollbacks = Rollbacks(by_id)

        def begin(id_: str) -> tuple[Work | None, Sequence[Change]]:
            rollbacks.remember(by_id[id_], self.records)
            return self._begin(by_id[id_])

        return self._run("apply", walk, names, begin, rollbacks)

    # the loop

    def _run(
        self,
        doing: str,
        walk: Walk,
        names: dict[str, tuple[str, str]],
        begin: _Begin,
        rollbacks: Rollbacks | None = None,
    ) -> RunResult:
        self._walk, self._names = walk, names
        began = self.executor.now()
        told = False
        self.emit(RunStarted(doing, len(names)))
        while True:
            if self._stopping and not told:
                told = True
                self._queues.clear()
                self._looks.clear()
                self.emit(Stopping())
            wait = inf if self._stopping else self._begin_what_may(begin, rollbacks)
            if not self._in_flight and (self._stopping or (self._queues.idle and self._looks.idle)):
                break
            self._take(self.executor.arrived(None if wait == inf else wait))
        self._queues.clear()
        self._looks.clear()
        return self._ended(began)

    def _ended(self, began: float) -> RunResult:
        walk = self._walk
        done, failed, skipped = map(walk.count, (Outcome.DONE, Outcome.FAILED, Outcome.SKIPPED))
        result = RunResult(done, failed, skipped, len(walk) - len(walk.outcome))
        seconds = self.executor.now() - began
        self.emit(RunEnded(result.done, result.failed, result.skipped + result.left, seconds))
        return result

    def _begin_what_may(self, begin: _Begin, rollbacks: Rollbacks | None) -> float:
        """Takes up what is ready, calls what is due and admitted; the seconds until there may be more to do."""
        if rollbacks is not None:
            for rollout in self._walk.fallen():
                self._names |= rollbacks.add(rollout, self._walk)
        self._take_up_ready(begin)
        now = self.executor.now()
        self._want_due(now)
        for work in self._queues.given_up(now, self.deadline_s):
            self._looks.ended(_group(work), now)
            self._failed(work.id, _too_late(self.deadline_s, f"the endpoint {work.endpoint} does not answer"))
        wishes, wait = self._queues.admitted(now)
        self._call(wishes, now)
        timer = self._queues.next_timer()
        return min(wait, max(0.0, min(inf if timer is None else timer, self._looks.next()) - now))

    def _take_up_ready(self, begin: _Begin) -> None:
        while ids := self._walk.take():
            changes: list[Change] = []
            settled: list[str] = []
            for id_ in ids:
                try:
                    work, intent = begin(id_)
                except Exception as err:
                    self.emit(StepStarted(id_, *self._names[id_]))
                    self._failed(id_, err if isinstance(err, ProvError) else fault(err))
                    continue
                if work is not None:
                    self._queues.want(First(work, intent))
                    continue
                changes += intent
                settled.append(id_)
            self.commit(changes)
            for id_ in settled:
                self.emit(StepStarted(id_, *self._names[id_]))
                self._done(id_, 0.0)

    def _want_due(self, now: float) -> None:
        due: dict[tuple[str, str], list[Work]] = defaultdict(list)
        for work in self._queues.due(now):
            if isinstance(work.kind, Gate) or not isinstance(work.kind, Kind):
                self._queues.want(Next(work, None))
            else:
                due[_group(work)].append(work)
        for group, works in due.items():
            if self.endpoints.lists(works[0].entry.provider, works[0].endpoint):
                self._looks.wait(group, works)
            else:
                self._queues.want(Look(works, group[0]))
        idle = not self._in_flight and self._queues.idle
        for group, waiting in self._looks.due(now, idle=idle):
            self._queues.want(Look(waiting, group[0]))

    def _call(self, wishes: Iterable[Wish], now: float) -> None:
        """Calls what was admitted, once all intents among it are on record."""
        wishes = list(wishes)
        first = [wish for wish in wishes if isinstance(wish, First)]
        for begun in first:
            begun.work.began = now
            self.emit(StepStarted(begun.work.id, *self._names[begun.work.id]))
        self.commit([change for begun in first for change in begun.intent])
        for wish in wishes:
            self._in_flight += 1
            match wish:
                case First(work):
                    self._calls.verb(work, None)
                case Next(work, seen):
                    self._calls.verb(work, seen)
                case Look(works):
                    self._looks.begun(_group(works[0]), now)
                    self._calls.read(works)

    def _take(self, messages: Iterable[object]) -> None:
        changes: list[Change] = []
        afterwards: list[Callable[[], None]] = []
        for message in messages:
            match message:
                case Said(work, note):
                    self._tell(work, note, None)
                case FoundOut(works, readings, outcome):
                    self._returned(works[0].entry.provider, outcome)
                    self._looks.ended(_group(works[0]), self.executor.now())
                    silent = Unreachable("the provider gave no answer for it")
                    for work in works:
                        self._queues.want(Next(work, readings.get(work.entry.key, silent)))
                case Answered(work, answer):
                    self._returned(work.endpoint, answer)
                    change, then = self._answered(work, answer)
                    changes += change
                    afterwards.append(then)
        self.commit(changes)
        for then in afterwards:
            then()

    def _returned(self, endpoint: str, outcome: object) -> None:
        self._in_flight -= 1
        governor = self._queues.governor(endpoint)
        was_open = governor.open
        governor.ended(self.executor.now(), outcome)
        if governor.open and not was_open and isinstance(outcome, EndpointDown):
            self.emit(EndpointHeld(endpoint, outcome.summary))

    def _answered(self, work: Work, answer: object) -> tuple[Sequence[Change], Callable[[], None]]:
        """The changes to record for an answer, and what to do once they are on record."""
        match answer:
            case Done(outputs):
                seconds = self.executor.now() - work.began
                try:
                    return self._reached(work, outputs), lambda: self._done(work.id, seconds)
                except Exception as err:
                    misfit = fault(err)  # outputs that are not of their class; others may have finished well
                    return (), lambda: self._failed(work.id, misfit)
            case Pending():
                before, work.entry = work.entry, pending(work.entry, answer)
                self._tell(work, answer.note, answer.progress)
                moved = work.entry != before and work.verb not in ("check", "read")
                return ((Put(work.entry),) if moved else ()), lambda: self._later(work, answer.after_s)
            case Retry():
                self._tell(work, answer.summary, None)
                return (), lambda: self._later(work, answer.after_s, not_before_s=answer.after_s)
            case Fatal() if work.verb not in ("check", "read"):
                return refused(work.entry, work.previous, answer), lambda: self._failed(work.id, answer)
            case OperatorNeeded():
                back = withdrawn(work.entry, work.previous, answer)
                return ((back,) if back else ()), lambda: self._failed(work.id, answer)
            case ProvError():
                return (), lambda: self._failed(work.id, answer)
            case _:
                failed = fault(answer)
                return (), lambda: self._failed(work.id, failed)

    def _reached(self, work: Work, outputs: object) -> Sequence[Change]:
        if work.verb == "read":
            assert isinstance(outputs, Mapping)
            self.found[work.entry.address] = outputs
        if work.verb == "delete" and (seen := work.entry.memo.get(ERASED)):
            self.erased.append(f"{work.entry.address}: {seen}")
        return (reached(work.entry, work.kind, outputs),) if work.recorded else ()

    def _begin(self, step: Step) -> tuple[Work | None, Sequence[Change]]:
        """A step taken up: the work it is, None where nothing has to be called; and what goes on record first."""
        current = self.records.entries.get(step.address)
        match step:
            case Forget():
                return None, (Drop(step.address, step.generation),)
            case Delete():
                entry = self.records.find(step.address, step.generation)
                if entry is None:
                    return None, ()
                fresh = opened(step, entry, {})
                return self._work(step.id, step.verb, fresh, entry), (Put(fresh),)
            case Keep():
                raise AssertionError("a kept resource is no work")
        kind = self.registry.kind(step.address.kind)
        wanted = getattr(step, "wanted", {})
        props = intended(wanted, kind, RecordedOutputs(self.records, self.found), self.clients.functions())
        fresh = opened(step, current, props)
        recorded = not isinstance(step, LookUp) and not (isinstance(step, Check) and step.part)
        work = self._work(step.id, step.verb, fresh, current, recorded=recorded)
        if isinstance(step, Check | LookUp):
            return work, ()
        return work, (*deposed(step, current), Put(fresh))

    def _work(self, id_: str, verb: str, entry: Entry, previous: Entry | None, *, recorded: bool = True) -> Work:
        kind = self.registry.kind(entry.address.kind)
        job = job_for(entry, kind, self.records.lineage)
        limit_s = max(self.deadline_s, kind.takes_s(job)) if isinstance(kind, Patient) else self.deadline_s
        endpoint = self.endpoints.of(entry.provider, job)
        return Work(id_, verb, kind, entry, previous, endpoint, self.executor.now(), limit_s, recorded)

    def _later(self, work: Work, after_s: float, not_before_s: float = 0.0) -> None:
        """Puts a step on the heap; its polls start quickly and slow down to what it asked for.

        One that wants to be called again at once is, and nothing is read before.
        """
        now = self.executor.now()
        if now - work.began > self._patience_s:
            return
        if now - work.began > work.limit_s:
            self._failed(work.id, _too_late(work.limit_s, work.note or "no news"))
            return
        if after_s == 0.0:
            self._queues.want(Next(work, None))
            return
        delay = max(not_before_s, min(after_s, _FIRST_POLL_S * 2 ** min(work.polls, 16)))
        work.polls += 1
        self._queues.later(work, now + delay)

    # what people hear

    def _tell(self, work: Work, note: str, progress: float | None) -> None:
        now = self.executor.now()
        if note and (note != work.note or now - work.told > _REMIND_S):
            work.note, work.told = note, now
            self.emit(StepProgress(work.id, str(work.entry.address), note, progress))

    def _done(self, id_: str, seconds: float) -> None:
        self._walk.done(id_)
        self.emit(StepDone(id_, *self._names[id_], seconds))

    def _failed(self, id_: str, err: ProvError) -> None:
        self.emit(StepFailed(id_, *self._names[id_], err.summary, err.detail, err.remedy))
        for other, because in self._walk.failed(id_):
            self.emit(StepSkipped(other, *self._names[other], because))


def _group(work: Work) -> Group:
    return work.entry.provider, work.entry.address.kind


def _too_late(deadline_s: float, note: str) -> ProvError:
    return ProvError(
        "a step did not finish in time",
        detail=f"after {deadline_s:.0f} s: {note}",
        remedy="look into what it waits for; the next run goes on from here",
    )
