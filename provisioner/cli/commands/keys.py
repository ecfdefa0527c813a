"""`prov keys`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provisioner.cli import options, session

if TYPE_CHECKING:
    from provisioner.state.sqlite_store import SqliteStore

app = typer.Typer(no_args_is_help=True, help="Who can open what the state seals.")


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
def show(
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    json: options.JsonOption = False,
) -> None:
    """Show the public key in use, where its identity was found, and who else can open the state."""
    from provisioner.errors import KeyMissing
    from provisioner.render.table import columns
    from provisioner.workflow.keys import in_use

    found = in_use(_state_if_any(file, state, var), session.world())
    own = found.identity.recipient() if found.identity is not None else ""
    if json:
        identity = {"recipient": own, "source": found.identity.source} if found.identity is not None else None
        session.data_json({"identity": identity, "recipients": list(found.recipients), "opens": found.opens})
        return
    if found.identity is None and not found.recipients:
        raise KeyMissing("there is no age identity", remedy="make one with `prov keys create`")
    rows = [("identity", own, found.identity.source)] if found.identity is not None else []
    rows += [("recipient", known, "the identity in use" if known == own else "") for known in found.recipients]
    session.data(columns(rows))


@app.command()
def seal(
    to: Annotated[
        list[str] | None, typer.Option("--to", metavar="RECIPIENT", help="Who can open it; by default you.")
    ] = None,
) -> None:
    """Seal a text from standard input, and print what a cluster file or a table may have in its place."""
    from provisioner.errors import KeyMissing
    from provisioner.state.identity import find_identity
    from provisioner.state.values import seal as sealed

    recipients = list(to or ())
    if not recipients:
        identity = find_identity(os.environ)
        if identity is None:
            raise KeyMissing("there is no age identity to seal with", remedy="make one with `prov keys create`")
        recipients = [identity.recipient()]
    text = getpass("text to seal: ") if sys.stdin.isatty() else sys.stdin.read().removesuffix("\n")
    session.data(f"${{sealed['{sealed(text, recipients)}']}}\n")


@app.command()
def add(
    recipient: Annotated[str, typer.Argument(metavar="RECIPIENT", help="The public half of an identity: age1…")],
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    json: options.JsonOption = False,
) -> None:
    """Let one more age recipient open the state."""
    from provisioner.workflow import keys

    _tell(keys.add(session.state(file, state, var), session.world(), recipient), json)


@app.command()
def rotate(
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="RECIPIENT", help="Who shall not open it any more.")
    ] = None,
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    json: options.JsonOption = False,
) -> None:
    """Seal the state with a new data key. Saved plans with secrets in them cannot be applied any more.

    Who could open the state until now may have kept what is in it: this changes the seal, not the secrets.
    """
    from provisioner.workflow import keys

    _tell(keys.rotate(session.state(file, state, var), session.world(), remove or ()), json)


def _state_if_any(file: Path, state: Path | None, var: list[str] | None) -> SqliteStore | None:
    """The state, where one is named or there is a cluster file."""
    return session.state(file, state, var) if state is not None or file.exists() else None


def _tell(recipients: Sequence[str], json: bool) -> None:
    if json:
        session.data_json({"recipients": list(recipients)})
    else:
        session.say("the state opens for:")
        session.data("".join(f"{recipient}\n" for recipient in recipients))
