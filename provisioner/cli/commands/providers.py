"""`prov providers`."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioner.cli import options, session


def providers(
    name: Annotated[str | None, typer.Argument(help="One provider, with its settings and kinds.")] = None,
    schema: Annotated[
        str | None, typer.Option("--schema", metavar="TABLE", help="Print the JSON Schema of a table, for editors.")
    ] = None,
    json: options.JsonOption = False,
) -> None:
    """List the installed providers, or describe one."""
    from provisioner.plugins.describe import describe
    from provisioner.plugins.registry import Registry
    from provisioner.render.table import provider_text, providers_table

    registry = Registry.installed()
    if name is not None and schema is not None:
        from provisioner.plugins.json_schema import table_schema

        session.data_json(table_schema(registry, name, schema))
        return
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
