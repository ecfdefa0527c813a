"""`prov plan`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from provisioner.cli import options, session


def plan(
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    destroy: Annotated[bool, typer.Option("--destroy", help="Plan the end of everything on record.")] = False,
    allow: options.AllowOption = None,
    refresh: options.RefreshOption = True,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Save the plan for `prov apply --plan`.")] = None,
    json: options.JsonOption = False,
) -> None:
    """Show what apply would do. Exit code 0: nothing to do; 2: changes pending; 1: error."""
    from provisioner.planner.build import PlanOptions
    from provisioner.render.problems import problems_text
    from provisioner.render.text import plan_text
    from provisioner.render.view import plan_view
    from provisioner.workflow import plan as workflow

    project = session.project(file, state, var)
    made = workflow.plan(project, PlanOptions(destroy, session.dangers(allow), refresh), out)
    view = plan_view(made)
    if json:
        session.data_json(view)
    else:
        session.data(plan_text(view, session.style_out()))
    if made.blocked:
        session.say(problems_text(made.problems, session.style_err()).rstrip())
        session.leave(session.ERROR)
    if out is not None:
        session.say(f"saved to {out}; apply exactly this with: prov apply --plan {out}")
    session.leave(session.DONE if made.empty else session.CHANGES)
