"""`prov sweep`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from provisioner.cli import options, session

if TYPE_CHECKING:
    from provisioner.workflow.sweep import Found, Swept


def sweep(
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    lineage: Annotated[
        list[str] | None,
        typer.Option("--lineage", help="Also what belongs to this lineage, whose state is lost; can be repeated."),
    ] = None,
    yes: options.YesOption = False,
    step_timeout: Annotated[
        float, typer.Option("--timeout", help="Seconds that the removal of everything may take.", min=1)
    ] = 1200.0,
    json: options.JsonOption = False,
) -> None:
    """Find what bears the mark of prov and is on no record, and remove it if you say so.

    Asked are the providers of the file. What is on record is never touched, nor is what belongs to another state:
    that is only counted, unless its lineage is named. Name one only where that state is lost for good.
    Exit code 0: nothing is left; 2: something is left over; 3: some of it could not be removed; 1: error.
    """
    from provisioner.workflow import sweep as workflow

    project = session.project(file, state, var)
    found = workflow.find(project, project.look(), lineage or ())
    if not json:
        _show(found)
    swept = None
    if found.leftovers and _agreed(yes=yes, json=json):
        swept = workflow.sweep(project, found.leftovers, lineage or (), tell=session.say, deadline_s=step_timeout)
        _tell(swept)
    if json:
        from provisioner.render.sweep import sweep_view

        session.data_json(sweep_view(found, swept))
    session.leave(_code(found, swept))


def _show(found: Found) -> None:
    from provisioner.render.sweep import leftovers_table, others_lines

    if found.leftovers:
        session.data(leftovers_table(found.leftovers))
    for line in others_lines(found.others):
        session.say(line)
    for name, reason in sorted(found.unasked.items()):
        session.say(f"{name} was not asked: {reason}")
    if not found.leftovers:
        session.say(f"nothing is left over; {found.on_record} on record")


def _agreed(*, yes: bool, json: bool) -> bool:
    """Whether to go on; where nobody can be asked, showing is all that is done."""
    if yes:
        return True
    if json or not sys.stdin.isatty():
        session.say("nothing was removed; add --yes to remove what is left over")
        return False
    return typer.confirm("Remove what is left over?", err=True)


def _tell(swept: Swept) -> None:
    from provisioner.render.problems import problems_text

    problems = [problem for err in swept.failed.values() for problem in err.problems()]
    if problems:
        session.say(problems_text(problems, session.style_err()).rstrip())
    session.say(f"{len(swept.removed)} removed, {len(swept.failed)} still there")


def _code(found: Found, swept: Swept | None) -> int:
    if found.unasked:
        return session.ERROR
    if not found.leftovers:
        return session.DONE
    if swept is None:
        return session.CHANGES
    return session.PARTLY if swept.failed else session.DONE
