"""`prov providers`."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioner.cli import options, session


def providers(
    name: Annotated[str | None, typer.Argument(help="One provider, with its settings and kinds.")] = None,
    json: options.JsonOption = False,
) -> None:
    """List the installed providers, or describe one."""
    from provisioner.plugins.describe import describe
    from provisioner.plugins.registry import Registry
    from provisioner.render.table import provider_text, providers_table

    registry = Registry.installed()
    if name is None:
        listed = registry.list()
        if json:
            session.data_json(
                [{"name": p.name, "distribution": p.distribution, "version": p.version} for p in listed]
            )
        else:
            session.data(providers_table(listed))
        return
    described = describe(registry, name)
    if json:
        session.data_json(described)
    else:
        session.data(provider_text(described))
