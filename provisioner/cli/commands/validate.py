"""`prov validate`."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioner.cli import options, session

StrictOption = Annotated[bool, typer.Option("--strict", help="Take warnings for errors.")]
IgnoreOption = Annotated[
    list[str] | None, typer.Option("--ignore", help="A rule to leave out, by its code; see docs/reference/lint.md.")
]


def validate(
    file: options.FileOption = options.DEFAULT_FILE,
    var: options.VarOption = None,
    strict: StrictOption = False,
    ignore: IgnoreOption = None,
    json: options.JsonOption = False,
) -> None:
    """Check a cluster file and everything it names, without touching anything.

    What is no mistake but looks like one is warned of, with its reason in docs/reference/lint.md.
    """
    from provisioner.errors import InputError
    from provisioner.render.problems import problems_text
    from provisioner.render.view import problem_view
    from provisioner.workflow.validate import validate as check

    checked = check(session.project(file, None, var), ignore or ())
    found = checked.lint
    errors = (*found.errors, *found.warnings) if strict else found.errors
    warnings = () if strict else found.warnings
    if errors:
        if warnings and not json:
            session.say(problems_text(warnings, session.style_err(), word="warning").rstrip())
        raise InputError(errors)
    graph = checked.graph
    if json:
        session.data_json(
            {
                "valid": True,
                "cluster": graph.cluster,
                "resources": [str(address) for address in graph.resources],
                "warnings": [problem_view(problem) for problem in warnings],
            }
        )
        return
    if warnings:
        session.say(problems_text(warnings, session.style_err(), word="warning").rstrip())
    session.data(f"{file} is valid: cluster {graph.cluster}, {len(graph.resources)} resources\n")
