"""`prov status`."""

from __future__ import annotations

from provisioner.cli import options, session


def status(
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    json: options.JsonOption = False,
) -> None:
    """Show the nodes as they are now. Exit code 0: all is well; 1: something is not."""
    from provisioner.render.table import nodes_table
    from provisioner.workflow import handover

    found = handover.status(session.project(file, state, var))
    if json:
        session.data_json(found.view())
    else:
        session.data(nodes_table(found, session.style_out()))
    session.leave(session.DONE if found.healthy else session.ERROR)
