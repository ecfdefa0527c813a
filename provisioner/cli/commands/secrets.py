"""`prov secrets`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from provisioner.cli import options, session

app = typer.Typer(no_args_is_help=True, help="What a cluster is born with: keys, tokens, authorities.")


@app.command()
def show(
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    json: options.JsonOption = False,
) -> None:
    """Show the cluster's authorities, until when they are good, and their fingerprints; nothing that is secret."""
    from provisioner.render.table import columns
    from provisioner.workflow.secrets import authorities

    found = authorities(session.state(file, state, var).load(shut=True))
    if json:
        session.data_json(
            [
                {
                    "name": each.name,
                    "vouches_for": each.vouches_for,
                    "until": each.until.isoformat(),
                    "fingerprint": each.fingerprint,
                }
                for each in found
            ]
        )
        return
    rows = [(each.name, each.vouches_for, each.until.date().isoformat(), each.fingerprint) for each in found]
    session.data(columns([("AUTHORITY", "OF THE", "UNTIL", "SHA-256"), *rows]))


@app.command()
def export(
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    out: options.OutOption = None,
    show: Annotated[bool, typer.Option("--show", help="Print them, in the clear.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Talos's JSON form instead of YAML.")] = False,
) -> None:
    """Write the cluster's secrets as Talos's secrets.yaml. Whoever has them owns the cluster."""
    from provisioner.errors import ProvError
    from provisioner.workflow.files import write_private
    from provisioner.workflow.secrets import exported

    if out is None and not show:
        raise ProvError(
            "secrets are printed only where that is asked for",
            detail="neither --out nor --show is given",
            remedy="name a file with --out (mode 0600), or add --show",
        )
    text = exported(session.state(file, state, var).load(), "json" if json else "yaml")
    if out is None:
        session.data(text)
    else:
        write_private(out, text.encode())
        session.say(f"written to {out}; whoever reads it owns the cluster")


@app.command("import")
def import_(
    source: Annotated[
        Path,
        typer.Argument(metavar="SOURCE", help="A secrets.yaml, its JSON form, or a control plane's configuration."),
    ],
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
) -> None:
    """Give a cluster that is yet to be born secrets that were made elsewhere."""
    from provisioner.workflow.secrets import take_over

    take_over(session.project(file, state, var), source)
    session.say(f"the cluster will be born with the secrets of {source}; remove that file, or keep it safe")
