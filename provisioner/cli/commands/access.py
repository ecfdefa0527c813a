"""`prov kubeconfig` and `prov talosconfig`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from provisioner.cli import options, session

TtlOption = Annotated[
    str, typer.Option("--ttl", help="How long the certificate is good for, such as 12h or 90d.", show_default=True)
]
RoleOption = Annotated[
    list[str] | None,
    typer.Option("--role", help="What it may do, such as os:reader; may be repeated. [os:admin]"),
]
A_YEAR = "365d"


def kubeconfig(
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    out: options.OutOption = None,
    ttl: TtlOption = A_YEAR,
) -> None:
    """Print a kubeconfig with a fresh admin certificate, made from the recorded secrets."""
    from provisioner.workflow import handover
    from provisioner.workflow.duration import duration

    _give(handover.kubeconfig(session.project(file, state, var), ttl=duration(ttl)), out)


def talosconfig(
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    out: options.OutOption = None,
    role: RoleOption = None,
    ttl: TtlOption = A_YEAR,
) -> None:
    """Print a talosconfig with a fresh certificate, made from the recorded secrets."""
    from provisioner.workflow import handover
    from provisioner.workflow.duration import duration

    text = handover.talosconfig(session.project(file, state, var), ttl=duration(ttl), roles=role or ())
    _give(text, out)


def _give(text: str, out: Path | None) -> None:
    from provisioner.workflow.files import write_private

    if out is None:
        session.data(text)
    else:
        write_private(out, text.encode())
        session.say(f"written to {out}")
