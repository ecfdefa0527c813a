"""`prov apply` and `prov destroy`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provisioner.cli import options, session
from provisioner.errors import ProvError

if TYPE_CHECKING:
    from provisioner.model.address import Address
    from provisioner.model.plan import Plan
    from provisioner.planner.build import PlanOptions
    from provisioner.render.progress import Progress
    from provisioner.workflow.apply import Applied
    from provisioner.workflow.open import Project

_TIMEOUT = 1200.0


def apply(
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    plan: Annotated[Path | None, typer.Option("--plan", help="Do exactly what this saved plan says.")] = None,
    allow: options.AllowOption = None,
    refresh: options.RefreshOption = True,
    yes: options.YesOption = False,
    step_timeout: options.TimeoutOption = _TIMEOUT,
    json: options.JsonOption = False,
) -> None:
    """Make what is there what the file says. Exit code 0: done; 3: partly applied, run it again; 1: error."""
    from provisioner.planner.build import PlanOptions

    project = session.project(file, state, var)
    chosen = PlanOptions(allow=session.dangers(allow), refresh=refresh)
    applied = run(project, chosen, yes=yes, json=json, file=plan, step_timeout=step_timeout)
    conclude(applied, json)
    if applied.plan.destroys:
        _take_leave(project, json)
    elif project.spec.talos is None:
        _show_outputs(project, json)
    else:
        _hand_over(project, applied.plan, json)


def destroy(
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    yes: options.YesOption = False,
    step_timeout: options.TimeoutOption = _TIMEOUT,
    json: options.JsonOption = False,
) -> None:
    """Remove everything that is on record, in the right order."""
    from provisioner.planner.build import PlanOptions

    project = session.project(file, state, var)
    applied = run(project, PlanOptions(destroy=True), yes=yes, json=json, step_timeout=step_timeout)
    conclude(applied, json)
    _take_leave(project, json)


def run(
    project: Project,
    options_: PlanOptions,
    *,
    yes: bool,
    json: bool,
    file: Path | None = None,
    step_timeout: float = _TIMEOUT,
    adopts: tuple[Address, str] | None = None,
) -> Applied:
    """Plans, asks, and does it with progress on the screen."""
    from provisioner.workflow.apply import apply as workflow

    progress = _progress(json)

    def approve(made: Plan) -> bool:
        return _approve(made, yes, json)

    started: list[Progress] = []

    def emit(event: object) -> None:
        if not started:
            started.append(progress())
        started[0].show(event)  # type: ignore[arg-type]

    try:
        return workflow(
            project,
            options_,
            approve=approve,
            emit=emit,
            deadline_s=step_timeout,
            file=file,
            adopts=adopts,
        )
    finally:
        for shown in started:
            shown.close()


def _progress(json: bool):  # type: ignore[no-untyped-def]
    from provisioner.render.progress import JsonProgress, LineProgress, LiveProgress

    if json:
        return lambda: JsonProgress(sys.stdout)
    if sys.stderr.isatty():
        return lambda: LiveProgress(sys.stderr, session.style_err())
    return lambda: LineProgress(sys.stderr, session.style_err())


def _approve(made: Plan, yes: bool, json: bool) -> bool:
    from provisioner.render.text import plan_text
    from provisioner.render.view import plan_view

    if not json:
        session.say(plan_text(plan_view(made), session.style_err()).rstrip("\n"))
    if made.empty or yes:
        return True
    if not sys.stdin.isatty():
        raise ProvError(
            "nobody is there to say yes",
            detail="standard input is no terminal",
            remedy="look at the plan with `prov plan`, then add --yes",
        )
    return typer.confirm("Do this?", err=True)


def conclude(applied: Applied, json: bool) -> None:
    """Leaves unless everything was done."""
    from provisioner.render.problems import problems_text

    if applied.plan.blocked:
        session.say(problems_text(applied.plan.problems, session.style_err()).rstrip())
        session.leave(session.ERROR)
    result = applied.result
    if result is None:
        session.say("nothing was done" if not applied.settled else "stopped; run the same command again to go on")
        session.leave(session.ERROR if not applied.settled else session.PARTLY)
    if not json and not result.complete:
        left = result.skipped + result.left
        session.say(f"{result.done} done, {result.failed} failed, {left} not begun or not finished")
    if not result.complete:
        session.say("what was begun is on record: run the same command again to go on")
        settled_some = applied.settled is not None and applied.settled.done > 0
        session.leave(session.PARTLY if result.done or result.left or settled_some else session.ERROR)


def _take_leave(project: Project, json: bool) -> None:
    from provisioner.workflow.handover import withdraw

    withdraw(project)
    if not json:
        session.say(f"{project.spec.name} is gone: nothing is left on record")


def _show_outputs(project: Project, json: bool) -> None:
    """What a file without a cluster comes to."""
    from json import dumps

    from provisioner.render.text import outputs_text
    from provisioner.render.view import value_view

    views = {name: value_view(value) for name, value in project.store.load().outputs.items()}
    if json:
        session.data(dumps({"event": "Outputs", "outputs": views}) + "\n")
    else:
        session.data(outputs_text(views))


def _hand_over(project: Project, made: Plan, json: bool) -> None:
    from json import dumps

    from provisioner.render.table import nodes_table
    from provisioner.workflow.handover import hand_over, status

    hand_over(project, made)
    found = status(project, made)
    if json:
        session.data(dumps({"event": "Cluster", **found.view()}) + "\n")
    else:
        session.data(nodes_table(found, session.style_out()))
