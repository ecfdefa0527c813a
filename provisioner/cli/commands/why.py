"""`prov why`."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioner.cli import options, session

PathArgument = Annotated[
    str,
    typer.Argument(
        help="A path into the machine configuration, such as machine.sysctls.vm.max_map_count, KubeletConfig.image "
        "or LinkConfig/eth0.mtu; a shorter one shows all below it."
    ),
]
NodeOption = Annotated[str | None, typer.Option("--node", help="Only this node. [all nodes]")]


def why(
    path: PathArgument,
    node: NodeOption = None,
    file: options.FileOption = options.DEFAULT_FILE,
    state: options.StateOption = None,
    var: options.VarOption = None,
    json: options.JsonOption = False,
) -> None:
    """Say which file and line set a value of the machine configuration, and what it took the place of."""
    from provisioner.render.why import why_text, why_view
    from provisioner.workflow.why import explain

    told = explain(session.project(file, state, var), path, node)
    if json:
        session.data_json(why_view(path, told.contract, told.answers))
    else:
        session.data(why_text(told.answers, session.style_out()))
