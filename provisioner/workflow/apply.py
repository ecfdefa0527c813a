"""Applying: settle, plan, ask, do."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import FrameType

from attrs import evolve, frozen

from provisioner.engine.apply import Engine, RunResult
from provisioner.engine.clients import Clients, RecordedOutputs
from provisioner.engine.endpoints import Endpoints
from provisioner.engine.executor import Executor
from provisioner.engine.observe import silences
from provisioner.errors import PlanRefused
from provisioner.graph.resources import ResourceGraph
from provisioner.model.address import Address
from provisioner.model.event import Event
from provisioner.model.plan import Plan, ProviderUse
from provisioner.model.state import Bind, Change, Fence, Note, Publish, Records, RunRecord, State
from provisioner.model.value import evaluate, is_known, strip_origins
from provisioner.planner.build import PlanOptions
from provisioner.planner.grounds import guards
from provisioner.planner.kinds import Kinds
from provisioner.planner.planfile import read_plan
from provisioner.planner.stale import stale
from provisioner.state.ulid import new_ulid
from provisioner.workflow.adopt import adoption_only, asking_for
from provisioner.workflow.open import Project
from provisioner.workflow.plan import observed, plan_for


@frozen
class Applied:
    """What an apply came to. `plan` is what was decided on; `result` is None where nothing was run."""

    plan: Plan
    settled: RunResult | None
    result: RunResult | None


@frozen
class _Session:
    """What the engines of one apply share: its lock, its threads, the state as it goes."""

    project: Project
    records: Records
    fence: Fence
    executor: Executor
    emit: Callable[[Event], None]
    deadline_s: float

    def engine(self, providers: Mapping[str, ProviderUse]) -> Engine:
        registry = self.project.registry
        return Engine(
            records=self.records,
            store=self.project.store,
            fence=self.fence,
            registry=registry,
            clients=Clients(registry, providers),
            endpoints=Endpoints(registry, providers),
            executor=self.executor,
            emit=self.emit,
            now=self.project.world.now,
            deadline_s=self.deadline_s,
        )


def apply(
    project: Project,
    options: PlanOptions,
    *,
    approve: Callable[[Plan], bool],
    emit: Callable[[Event], None],
    deadline_s: float,
    file: Path | None = None,
    adopts: tuple[Address, str] | None = None,
) -> Applied:
    """Brings what is there to what the file says, or does exactly what a saved plan says.

    `approve` is shown the plan and decides. With `adopts`, an address and an id of the remote, all that is
    done is to take that object over.
    Raises PlanRefused for a blocked or stale plan.
    """
    doing = "import" if adopts else "destroy" if options.destroy else "apply"
    with project.store.lock(project.lock_info(doing)) as fence, closing(project.world.executor()) as executor:
        records = Records(project.store.load())
        session = _Session(project, records, fence, executor, emit, deadline_s)
        graph = project.graph(records.state())
        if adopts:
            graph = asking_for(graph, *adopts)
        settling = session.engine(graph.providers)
        settled = None
        if unfinished := () if options.destroy else records.state().unfinished(graph.resources):
            with stop_on_interrupt(settling):
                settled = settling.settle(
                    unfinished, guards(graph.rollouts, unfinished, Kinds(project.registry.kind))
                )
        if file is not None:
            plan = _saved(project, file, records.state(), graph)
        else:
            seen = observed(project, records.state(), graph, options)
            settling.commit(silences(records.state(), seen, project.world.now()))
            plan = evolve(plan_for(project, records.state(), graph, options, seen), unfinished=())
        if adopts:
            plan = adoption_only(plan, adopts[0])
        if settling.stopped or plan.blocked or not approve(plan):
            return Applied(plan, settled, None)
        engine = session.engine(plan.providers)
        with stop_on_interrupt(engine):
            engine.erased += settling.erased
            return Applied(plan, settled, _do(engine, plan, _run_record(project, doing)))


def _do(engine: Engine, plan: Plan, run: RunRecord) -> RunResult:
    new = {name: value for name, value in plan.bindings.items() if engine.records.bindings.get(name) != value}
    engine.commit([*plan.moves, *(Bind(name, value) for name, value in new.items())])
    engine.found.update(plan.found)
    if plan.work:
        engine.commit([Note(run)])
    result = engine.apply(plan.steps, plan.rollouts)
    ended = [Note(_ended(run, engine, result))] if plan.work or engine.erased else []
    engine.commit([*_published(engine, plan), *ended])
    return result


def _run_record(project: Project, doing: str) -> RunRecord:
    who = project.lock_info(doing)
    return RunRecord(new_ulid(), doing, who.who, who.host, who.since)


def _ended(run: RunRecord, engine: Engine, result: RunResult) -> RunRecord:
    outcome = "done" if result.complete else "stopped" if engine.stopped else "partly" if result.done else "failed"
    summary = f"{result.done} done, {result.failed} failed, {result.skipped + result.left} not begun or not finished"
    summary = "; ".join((summary, *engine.erased))
    return evolve(run, until=engine.now().isoformat(timespec="seconds"), outcome=outcome, summary=summary)


def _published(engine: Engine, plan: Plan) -> Sequence[Change]:
    """The outputs, if all they need is on record by now."""
    lookup = RecordedOutputs(engine.records, engine.found)
    try:
        outputs = {n: strip_origins(evaluate(v, lookup, engine.clients.functions())) for n, v in plan.outputs.items()}
    except ValueError:
        return ()
    changed = outputs != engine.records.outputs and all(is_known(value) for value in outputs.values())
    return (Publish(outputs),) if changed else ()


def _saved(project: Project, file: Path, state: State, graph: ResourceGraph) -> Plan:
    try:
        raw = file.read_bytes()
    except OSError as err:
        raise PlanRefused(
            "the plan file cannot be read",
            detail=f"{file}: {err.strerror}",
            remedy="make one with `prov plan --out FILE`",
        ) from None
    plan = read_plan(raw, project.store.vault())
    reason = stale(plan, state, project.versions(graph))
    if reason:
        raise PlanRefused(
            "this plan is stale",
            detail=reason,
            remedy="make a new one with `prov plan --out FILE`",
        )
    return plan


@contextlib.contextmanager
def stop_on_interrupt(engine: Engine) -> Iterator[None]:
    """The first Ctrl-C stops the run in good order; the second ends the process where it stands."""

    def stop(signum: int, frame: FrameType | None) -> None:
        signal.signal(signum, signal.SIG_DFL)
        engine.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
