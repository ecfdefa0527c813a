"""The nodes of a cluster file as a `ClusterSpec`.

The order matters: variables first, then what shapes the cluster (which pools, nodes and resources there are), then
everything that may refer to those.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from attrs import evolve, frozen

from provisioner.errors import Place
from provisioner.model.value import Value
from provisioner.spec.document import MapNode, Node
from provisioner.spec.fields import Fields, Reader
from provisioner.spec.files import Folder
from provisioner.spec.findings import Findings
from provisioner.spec.machines import read_machines
from provisioner.spec.moved import read_moved
from provisioner.spec.patches import PatchReader
from provisioner.spec.pools import read_pools
from provisioner.spec.references import Scope, Vault
from provisioner.spec.resources import RESERVED, read_resources
from provisioner.spec.rules import check, check_name
from provisioner.spec.schema import AUTO, ClusterSpec, KubernetesSpec, ProviderBlock
from provisioner.spec.settings import SettingsReader, check_whole
from provisioner.spec.talos import read_talos
from provisioner.spec.variables import read_variables
from provisioner.talos.config.settings import KUBERNETES_SETTINGS

_PROVIDER = re.compile(r"[a-z]([a-z0-9_-]*[a-z0-9])?")
_TYPE = re.compile(r"[a-z][a-z0-9_]*")
_CLUSTER = ("talos", "kubernetes", "endpoint", "pools", "nodes", "machine", "patches")
"""The keys that speak of a cluster: a file with none of them has resources and outputs only."""
_OUTPUT = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@frozen
class Outside:
    """What the user gives beside the file: `--var` values by name, the environment, and what is kept elsewhere."""

    variables: Mapping[str, str]
    environ: Mapping[str, str]
    vault: Vault


def decode(root: MapNode, path: Path, folder: Folder, outside: Outside, findings: Findings) -> ClusterSpec:
    """The whole file. What is wrong goes to `findings`; the result is complete only when nothing was."""
    reader = Reader(findings, Scope(environ=outside.environ, vault=outside.vault, near=findings.near))
    top = Fields(reader, root, "")
    _file_version(top)
    variables = read_variables(top.table("variables"), reader, outside.variables, outside.environ)
    reader.scope = evolve(
        reader.scope, variables=variables.values, broken=variables.broken, declared_env=variables.declared_env
    )
    name = top.scalar("name", str, required=True)
    endpoint = top.scalar("endpoint", str)
    has_cluster = any(key in root.entries for key in _CLUSTER)
    talos = read_talos(top.table("talos", required=has_cluster)) if has_cluster else None
    kubernetes = _kubernetes(top.table("kubernetes"))

    provider_table = top.table("providers", required=has_cluster)
    blocks = _provider_heads(provider_table, required=has_cluster)
    unread = provider_table is None and (has_cluster or top.take("providers") is not None)
    types = None if unread else {block: type_ for block, (_, type_) in blocks.items()}
    pool_table = top.table("pools", required=has_cluster)
    pools = read_pools(pool_table, types)
    resources = read_resources(top.table("resources"), types)

    reader.scope = evolve(
        reader.scope,
        cluster=name or "",
        resources=resources.addresses,
        nodes=pools.nodes,
        broken_pools=pools.faulty,
        has_cluster=has_cluster,
    )
    sure = not has_cluster or (pool_table is not None and not pools.faulty)
    patches = PatchReader(reader, folder, path.name, pools.nodes, sure)
    settings = SettingsReader(reader, path.name)
    complete, machines = read_machines(
        top, pools.complete(reader, patches, settings), settings, pools.nodes, sure=sure
    )
    spec = ClusterSpec(
        path=path,
        name=name or "",
        variables=variables.values,
        talos=talos,
        kubernetes=_with_settings(kubernetes, top.take("kubernetes"), settings),
        providers=_providers(blocks, reader),
        endpoint=AUTO if endpoint is None else endpoint,
        pools=complete,
        patches=patches.read(top.take("patches"), "patches", targets=True),
        machines=machines,
        resources=resources.complete(reader, pools.nodes, sure=sure),
        moved=read_moved(top.take("moved"), reader, resources.addresses),
        outputs=_outputs(top.table("outputs"), reader),
    )
    top.finish()
    places = {key: node.place for key, node in root.entries.items()} | {"pools": top.key_place("pools")}
    if name is not None:
        check_name(name, places["name"], findings)
    if has_cluster:
        check(spec, places, findings, sure=sure)
    elif "resources" not in root.entries and "outputs" not in root.entries:
        _note_nothing(root, findings)
    return spec


def _note_nothing(root: MapNode, findings: Findings) -> None:
    findings.add(
        "nothing-described",
        "the file describes nothing",
        root.place,
        detail="it has neither a cluster nor resources",
        remedy="add `talos:`, `providers:` and `pools:` for a cluster, or `resources:`",
    )


def _file_version(top: Fields) -> None:
    version = top.scalar("version", int, required=True)
    if version not in (None, 1):
        top.reader.findings.add(
            "file-version",
            "this version of the file format is not known",
            top.node.entries["version"].place,
            detail=f"version is {version}; this release of prov reads version 1",
            remedy="write version: 1, or use the release of prov the file was written for",
        )


def _kubernetes(table: Fields | None) -> KubernetesSpec:
    if table is None:
        return KubernetesSpec()
    return KubernetesSpec(table.scalar("version", str), place=_value_place(table, "version"))


def _with_settings(kubernetes: KubernetesSpec, node: Node | None, settings: SettingsReader) -> KubernetesSpec:
    """The section with all else that stands in it, once that may refer to nodes and resources."""
    findings = settings.reader.findings
    before = len(findings)
    if isinstance(node, MapNode):
        rest = {key: item for key, item in node.entries.items() if key != "version"}
        node = MapNode(rest, node.keys, node.place)
    read = settings.read(node, "kubernetes", KUBERNETES_SETTINGS)
    if len(findings) == before:
        check_whole(read, findings, KUBERNETES_SETTINGS)
    return evolve(kubernetes, settings=read)


def _value_place(table: Fields, key: str) -> Place:
    node = table.node.entries.get(key)
    return table.place if node is None else node.place


def _provider_heads(table: Fields | None, *, required: bool) -> dict[str, tuple[Fields, str]]:
    """Every provider instance with its type; the type is empty where it cannot be told."""
    heads: dict[str, tuple[Fields, str]] = {}
    for name, node in table or ():
        assert table is not None
        fields = table.reader.table(node, f"providers.{name}")
        type_ = "" if fields is None else _type(name, fields, table)
        heads[name] = (fields or Fields(table.reader, MapNode({}, {}, node.place), ""), type_)
    if table is not None and required and not heads:
        table.reader.findings.add(
            "missing-key",
            "a required key is missing",
            table.place,
            detail="providers has no entry",
            remedy="add one, such as `sim: {}`",
        )
    return heads


def _type(name: str, fields: Fields, table: Fields) -> str:
    named = fields.take("type") is not None
    type_ = fields.scalar("type", str) if named else name
    if type_ is None:
        return ""
    if name in RESERVED or type_ in RESERVED:
        table.reader.findings.add(
            "name",
            "a name cannot be used",
            table.key_place(name),
            detail=f"the provider {name!r} would take the place of one that is built in",
            remedy="remove it; what is built in needs no entry under `providers:`",
        )
        return ""
    if _PROVIDER.fullmatch(name) and _TYPE.fullmatch(type_):
        return type_
    table.reader.findings.add(
        "name",
        "a name cannot be used",
        table.key_place(name),
        detail=f"the provider {name!r} of type {type_!r}: names have a-z, 0-9, - and _, types have no dash",
        remedy="rename it" if named else f"rename it, or name its type: {name}: {{type: …}}",
    )
    return ""


def _providers(blocks: Mapping[str, tuple[Fields, str]], reader: Reader) -> dict[str, ProviderBlock]:
    return {
        name: ProviderBlock(
            name,
            type_,
            {key: reader.free(node) for key, node in fields.rest().items()},
            fields.place,
            dict(fields.node.keys),
        )
        for name, (fields, type_) in blocks.items()
    }


def _outputs(table: Fields | None, reader: Reader) -> dict[str, Value]:
    outputs: dict[str, Value] = {}
    for name, node in table or ():
        assert table is not None
        outputs[name] = _output(name, node, table, reader)
    return outputs


def _output(name: str, node: Node, table: Fields, reader: Reader) -> Value:
    if not _OUTPUT.fullmatch(name):
        reader.findings.add(
            "name",
            "a name cannot be used",
            table.key_place(name),
            detail=f"the output {name!r} must begin with a letter and have letters, digits, - and _ only",
            remedy="rename it",
        )
    return reader.free(node)
