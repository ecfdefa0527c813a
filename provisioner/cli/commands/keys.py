"""`prov keys`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from provisioner.cli import session

app = typer.Typer(no_args_is_help=True, help="The age identity that opens what the state seals.")


@app.command()
def create(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The file; by default your own.")] = None,
) -> None:
    """Make an age identity (mode 0600) to seal secrets with. Keep a copy of it: nothing else opens the state."""
    from provisioner.state.identity import create_identity, default_file

    target = out or default_file(os.environ)
    identity = create_identity(target)
    session.say(f"made {target}; keep a copy of it, for nothing else opens the state")
    if out is not None:
        session.say(f"use it with: export PROV_AGE_KEY_FILE={target}")
    session.data(f"{identity.recipient()}\n")


@app.command()
def show() -> None:
    """Show the public key in use and where the identity was found."""
    from provisioner.errors import KeyMissing
    from provisioner.state.identity import find_identity

    identity = find_identity(os.environ)
    if identity is None:
        raise KeyMissing("there is no age identity", remedy="make one with `prov keys create`")
    session.data(f"{identity.recipient()}\t{identity.source}\n")
