"""Options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

FileOption = Annotated[
    Path, typer.Option("--file", "-f", help="The cluster file.", envvar="PROV_FILE", show_default=True)
]
StateOption = Annotated[
    Path | None,
    typer.Option("--state", help="The state file. [.prov/NAME.db beside the cluster file]", envvar="PROV_STATE"),
]
VarOption = Annotated[
    list[str] | None, typer.Option("--var", help="A variable as NAME=VALUE; also PROV_VAR_NAME in the environment.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, for machines.")]
AllowOption = Annotated[
    list[str] | None, typer.Option("--allow", help="A danger to accept: `data-loss`, or `unwiped` disks.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", help="Write to this file (mode 0600) instead of standard output.")
]
RefreshOption = Annotated[
    bool,
    typer.Option(
        "--refresh/--no-refresh", help="Read what is there first, or take what is on record for what is there."
    ),
]
TimeoutOption = Annotated[float, typer.Option("--step-timeout", help="Seconds that a single step may take.", min=1)]

DEFAULT_FILE = Path("cluster.yaml")
