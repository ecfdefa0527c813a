"""The settings of every machine: those of all nodes, of its pool, and of itself, one over the other."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from provisioner.errors import did_you_mean
from provisioner.spec.fields import Fields
from provisioner.spec.schema import Pool, Settings
from provisioner.spec.settings import SettingsReader, check_role, check_whole, common, layered


def read_machines(
    top: Fields, pools: tuple[Pool, ...], settings: SettingsReader, names: tuple[str, ...], *, sure: bool
) -> tuple[tuple[Pool, ...], Mapping[str, Settings]]:
    """The pools with what all nodes have below their own, and the settings of nodes that have some of their own.

    `top` is the file, of which `machine` and `nodes` are read; `names` are the nodes, all of them if `sure`.
    """
    findings = settings.reader.findings
    before = len(findings)
    everywhere = settings.read(top.take("machine"), "machine")
    single = _single(top.table("nodes"), settings, names, sure=sure)
    for pool in pools:
        check_role(pool.machine, pool.role, findings)
        for name in set(pool.nodes) & single.keys():
            check_role(single[name], pool.role, findings)
    pools = tuple(evolve(pool, machine=layered(common(everywhere, pool.role), pool.machine)) for pool in pools)
    machines = {name: layered(pool.machine, single[name]) for pool in pools for name in pool.nodes if name in single}
    if len(findings) == before:
        for pool in pools:
            if set(pool.nodes) - machines.keys():
                check_whole(pool.machine, findings)
        for merged in machines.values():
            check_whole(merged, findings)
    return pools, machines


def _single(
    table: Fields | None, settings: SettingsReader, names: tuple[str, ...], *, sure: bool
) -> dict[str, Settings]:
    found: dict[str, Settings] = {}
    for name, node in table or ():
        assert table is not None
        fields = table.reader.table(node, f"nodes.{name}")
        if fields is None:
            continue
        if name not in names and sure:
            table.reader.findings.add(
                "unknown-node",
                "there is no such node",
                table.key_place(name),
                detail=f"nodes has {name!r}, but the pools have no node of that name",
                remedy=did_you_mean(name, names) or "add it to a pool",
            )
        found[name] = settings.read(fields.take("machine"), f"nodes.{name}.machine")
        fields.finish()
    return found
