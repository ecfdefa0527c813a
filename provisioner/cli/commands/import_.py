"""`prov import`."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioner.cli import options, session
from provisioner.cli.commands.apply import conclude, run


def import_(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Of a resource in the file, as plans show it.")],
    remote: Annotated[str, typer.Argument(metavar="ID", help="What the provider calls the object that is there.")],
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    yes: options.YesOption = False,
    json: options.JsonOption = False,
) -> None:
    """Take over an object that somebody else made: put our mark on it, and put it on record as it is."""
    from provisioner.errors import InputError, Place, Problem
    from provisioner.model.address import Address
    from provisioner.planner.build import PlanOptions

    try:
        wanted = Address.parse(address)
    except ValueError as err:
        problem = Problem("option", "this is not an address", str(err), Place(), "take one from `prov plan`")
        raise InputError([problem]) from None
    project = session.project(file, state, var)
    applied = run(project, PlanOptions(), yes=yes, json=json, adopts=(wanted, remote))
    conclude(applied, json)
    if not json:
        session.say(f"{address} is on record; `prov plan` shows what differs from the file")
