"""`prov init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from provisioner.cli import session


def init(
    name: Annotated[str, typer.Argument(help="A shipped plan.")] = "ha-cluster",
    into: Annotated[Path, typer.Option("--into", help="The folder to write cluster.yaml to.")] = Path(),
    show: Annotated[bool, typer.Option("--list", help="List the shipped plans and leave.")] = False,
) -> None:
    """Start a project: write a cluster.yaml to edit, from one of the shipped plans."""
    from provisioner.blueprints.find import copy, shipped, summary
    from provisioner.render.table import columns

    if show:
        session.data(columns([("PLAN", "FOR"), *((key, summary(path)) for key, path in shipped().items())]))
        return
    session.say(f"wrote {copy(name, into)}; edit it, then look at `prov plan`")
