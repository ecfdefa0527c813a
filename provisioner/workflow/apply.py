"""Applying: settle, plan, ask, do."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType

from attrs import evolve, frozen

from provisioner.engine.apply import Run, RunResult
from provisioner.engine.clients import Clients, recorded_outputs
from provisioner.errors import PlanRefused
from provisioner.graph.resources import ResourceGraph
from provisioner.model.event import Event
from provisioner.model.plan import Plan
from provisioner.model.state import Bind, Change, Fence, Publish, State
from provisioner.model.value import evaluate, is_known, strip_origins
from provisioner.planner.build import PlanOptions
from provisioner.planner.planfile import read_plan, stale
from provisioner.workflow.open import Project
from provisioner.workflow.plan import plan_for


@frozen
class Applied:
    """What an apply came to. `plan` is what was decided on; `result` is None where nothing was run."""

    plan: Plan
    settled: RunResult | None
    result: RunResult | None


def apply(
    project: Project,
    options: PlanOptions,
    *,
    approve: Callable[[Plan], bool],
    emit: Callable[[Event], None],
    deadline_s: float,
    file: Path | None = None,
    refresh: bool = True,
) -> Applied:
    """Brings what is there to what the file says, or does exactly what a saved plan says.

    `approve` is shown the plan and decides. Without `refresh` a new plan takes what is on record for what is there.
    Raises PlanRefused for a blocked or stale plan.
    """
    doing = "destroy" if options.destroy else "apply"
    with project.store.lock(project.lock_info(doing)) as fence:
        state = project.store.load()
        graph = project.graph(state)
        run = _run(project, state, graph, fence, emit, deadline_s)
        unfinished = () if options.destroy else state.unfinished(graph.resources)
        settled = None
        if unfinished:
            with _stop_on_interrupt(run):
                settled = run.settle(unfinished)
        if file is not None:
            plan = _saved(project, file, run, graph)
        else:
            plan = evolve(plan_for(project, run.state, graph, options, refresh=refresh), unfinished=())
        if run.stopped or plan.blocked or not approve(plan):
            return Applied(plan, settled, None)
        run.clients = Clients(project.registry, plan.providers)
        with _stop_on_interrupt(run):
            return Applied(plan, settled, _do(run, plan))


def _run(
    project: Project,
    state: State,
    graph: ResourceGraph,
    fence: Fence,
    emit: Callable[[Event], None],
    deadline_s: float,
) -> Run:
    return Run(
        state=state,
        store=project.store,
        fence=fence,
        registry=project.registry,
        clients=project.clients(graph),
        emit=emit,
        now=project.world.now,
        deadline_s=deadline_s,
    )


def _do(run: Run, plan: Plan) -> RunResult:
    new = {name: value for name, value in plan.bindings.items() if run.state.bindings.get(name) != value}
    run.commit([Bind(name, value) for name, value in new.items()])
    result = run.apply(plan.steps)
    run.commit(_published(run, plan))
    return result


def _published(run: Run, plan: Plan) -> Sequence[Change]:
    """The outputs, if all they need is on record by now."""
    lookup = recorded_outputs(run.state)
    try:
        outputs = {n: strip_origins(evaluate(v, lookup, run.clients.functions())) for n, v in plan.outputs.items()}
    except ValueError:
        return ()
    changed = outputs != run.state.outputs and all(is_known(value) for value in outputs.values())
    return (Publish(outputs),) if changed else ()


def _saved(project: Project, file: Path, run: Run, graph: ResourceGraph) -> Plan:
    try:
        raw = file.read_bytes()
    except OSError as err:
        raise PlanRefused(
            "the plan file cannot be read",
            detail=f"{file}: {err.strerror}",
            remedy="make one with `prov plan --out FILE`",
        ) from None
    plan = read_plan(raw, project.store.vault())
    reason = stale(plan, run.state, project.versions(graph))
    if reason:
        raise PlanRefused(
            "this plan is stale",
            detail=reason,
            remedy="make a new one with `prov plan --out FILE`",
        )
    return plan


@contextlib.contextmanager
def _stop_on_interrupt(run: Run) -> Iterator[None]:
    """The first Ctrl-C stops the run in good order; the second ends the process where it stands."""

    def stop(signum: int, frame: FrameType | None) -> None:
        signal.signal(signum, signal.SIG_DFL)
        run.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
