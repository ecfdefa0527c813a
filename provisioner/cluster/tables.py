"""The tables that settings of providers name, read and put in their place."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from attrs import evolve

from provisioner.errors import Place
from provisioner.model.schema import Schema
from provisioner.model.value import Value, strip_origins
from provisioner.plugins.registry import Registry
from provisioner.sdk.provider import ChecksRows, KeepsApart, ReadsTables
from provisioner.spec.fields import Reader
from provisioner.spec.files import Folder
from provisioner.spec.findings import Findings
from provisioner.spec.load import digest
from provisioner.spec.references import Scope
from provisioner.spec.schema import ClusterSpec, ProviderBlock
from provisioner.spec.tables import Check, Rows, Single, Twice, read_table, refuse_row
from provisioner.spec.vault import Kept, Unseal, unsealed_by_nobody


def with_tables(
    spec: ClusterSpec, registry: Registry, environ: Mapping[str, str], unseal: Unseal = unsealed_by_nobody
) -> ClusterSpec:
    """The file with the rows of every table where its settings had the table's name.

    Reads files. Expressions in a table may use variables, the environment, files and what is sealed. Raises
    InputError with every problem.
    """
    findings = Findings()
    folder = Folder(spec.path.parent, Path.cwd())
    scope = Scope(
        variables=spec.variables,
        environ=environ,
        cluster=spec.name,
        vault=Kept(folder, unseal),
        near=findings.near,
    )
    reader = Reader(findings, scope)
    blocks = {name: _filled(block, registry, reader, folder) for name, block in spec.providers.items()}
    findings.settle()
    if blocks == spec.providers:
        return spec
    changed = evolve(spec, providers=blocks)
    return evolve(changed, digest=digest(changed))


def _filled(block: ProviderBlock, registry: Registry, reader: Reader, folder: Folder) -> ProviderBlock:
    provider = registry.provider(block.type)
    if not isinstance(provider, ReadsTables):
        return block
    settings = dict(block.settings)
    for name, row in provider.tables.items():
        named, place, schema = strip_origins(settings.get(name)), block.places.get(name, block.place), Schema.of(row)
        check, single = _check(provider, block, name), _single(provider, name)
        if isinstance(named, str):
            settings[name] = _table(named, place, schema, reader, folder, check, single)
        elif isinstance(named, Mapping):
            _look_over(named, place, schema, reader.findings, check, single)
    return evolve(block, settings=settings)


def _check(provider: ReadsTables, block: ProviderBlock, table: str) -> Check:
    if isinstance(provider, ChecksRows):
        return partial(provider.complaints, block.settings, table)
    return lambda row: ()


def _single(provider: ReadsTables, table: str) -> Single:
    return partial(provider.single, table) if isinstance(provider, KeepsApart) else lambda row: ()


def _look_over(
    rows: Mapping[str, Value], place: Place, schema: Schema, findings: Findings, check: Check, single: Single
) -> None:
    """Checks rows that stand in the settings themselves, as far as their fields are of the right types."""
    twice = Twice(findings, single)
    for name, row in rows.items():
        if isinstance(row, Mapping) and not any(schema.complaints(row)):
            normal = schema.normal(row)
            for field, sentence, remedy in check(normal):
                refuse_row(findings, name, field, sentence, remedy, place)
            twice.note(name, normal, lambda field: place)


def _table(
    name: str, place: Place, schema: Schema, reader: Reader, folder: Folder, check: Check, single: Single
) -> Value:
    try:
        data = folder.read(name)
    except (OSError, ValueError) as err:
        said = err.strerror if isinstance(err, OSError) and err.strerror else str(err)
        reader.findings.add(
            "table-file",
            "a table cannot be read",
            place,
            detail=f"{folder.shown(name)}: {said}" if "\0" not in name else "its name has a NUL in it",
            remedy="names of tables are relative to the cluster file",
        )
        return {}
    rows: Rows = read_table(data, folder.shown(name), schema, reader, check, single)
    return dict(rows)
