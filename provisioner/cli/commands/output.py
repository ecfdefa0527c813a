"""`prov output`."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioner.cli import options, session
from provisioner.errors import ProvError


def output(
    name: Annotated[str | None, typer.Argument(help="Print the bare value of one, also if secret.")] = None,
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    json: options.JsonOption = False,
) -> None:
    """Show the outputs of the last apply. Secret ones are shown only when asked for by name."""
    from provisioner.model.value import reveal
    from provisioner.render.text import outputs_text
    from provisioner.render.view import value_view

    outputs = session.project(file, state, var).look().outputs
    if name is None:
        views = {key: value_view(value) for key, value in outputs.items()}
        if json:
            session.data_json(views)
        else:
            session.data(outputs_text(views))
        return
    if name not in outputs:
        raise ProvError(
            "there is no such output",
            detail=f"{name!r}; on record are {', '.join(outputs) or 'none'}",
            remedy="add it under `outputs:` and apply",
        )
    plain = reveal(outputs[name])
    if json or not isinstance(plain, str):
        session.data_json(plain)
    else:
        session.data(f"{plain}\n")
