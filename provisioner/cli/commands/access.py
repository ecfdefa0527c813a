"""`prov kubeconfig` and `prov talosconfig`."""

from __future__ import annotations

from pathlib import Path

from provisioner.cli import options, session


def kubeconfig(
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    out: options.OutOption = None,
) -> None:
    """Print a kubeconfig with a fresh admin certificate, made from the recorded secrets."""
    from provisioner.workflow import handover

    _give(handover.kubeconfig(session.project(file, state, var)), out)


def talosconfig(
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    out: options.OutOption = None,
) -> None:
    """Print a talosconfig with a fresh admin certificate, made from the recorded secrets."""
    from provisioner.workflow import handover

    _give(handover.talosconfig(session.project(file, state, var)), out)


def _give(text: str, out: Path | None) -> None:
    from provisioner.workflow.files import write_private

    if out is None:
        session.data(text)
    else:
        write_private(out, text.encode())
        session.say(f"written to {out}")
