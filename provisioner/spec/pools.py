"""The entries of `pools:`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import evolve, field, frozen

from provisioner.errors import did_you_mean
from provisioner.model.topology import Role
from provisioner.spec.document import Node
from provisioner.spec.fields import Fields, Reader
from provisioner.spec.patches import ROLES, PatchReader
from provisioner.spec.schema import Pool
from provisioner.spec.settings import SettingsReader

MAX_COUNT = 10_000
"""Nodes in one pool; more is a slip of the finger."""

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


@frozen
class _Rest:
    """What is read of a pool once it is known which nodes and resources there are."""

    patches: Node | None
    machine: Node | None
    options: Mapping[str, Node]


@frozen
class Pools:
    """The pools whose shape could be read, the names of the others, and what is still to be read of all."""

    pools: tuple[Pool, ...] = ()
    faulty: frozenset[str] = frozenset()
    _rest: Mapping[str, _Rest] = field(factory=dict)

    @property
    def nodes(self) -> tuple[str, ...]:
        return tuple(name for pool in self.pools for name in pool.nodes)

    def complete(self, reader: Reader, patches: PatchReader, settings: SettingsReader) -> tuple[Pool, ...]:
        """The pools with options, patches and settings of their own, which may refer to nodes and resources."""
        options = {
            name: {key: reader.free(node) for key, node in rest.options.items()} for name, rest in self._rest.items()
        }
        patched = {
            name: patches.read(rest.patches, f"pools.{name}.patches", targets=False)
            for name, rest in self._rest.items()
        }
        machines = {name: settings.read(rest.machine, f"pools.{name}.machine") for name, rest in self._rest.items()}
        return tuple(
            evolve(pool, options=options[pool.name], patches=patched[pool.name], machine=machines[pool.name])
            for pool in self.pools
        )


def read_pools(table: Fields | None, providers: Mapping[str, str] | None) -> Pools:
    """What decides which nodes there are. `providers` are the names the file has, with their types."""
    pools: list[Pool] = []
    faulty: set[str] = set()
    rest: dict[str, _Rest] = {}
    for name, node in table or ():
        assert table is not None
        fields = table.reader.table(node, f"pools.{name}")
        pool = None if fields is None else _pool(name, table, fields, providers)
        if pool is None:
            faulty.add(name)
        else:
            pools.append(pool)
        if fields is not None:
            rest[name] = _Rest(fields.take("patches"), fields.take("machine"), fields.rest())
    return Pools(tuple(pools), frozenset(faulty), rest)


def provider_of(fields: Fields, providers: Mapping[str, str] | None) -> str | None:
    """The provider instance an entry names, which may be left out when the file has only one.

    `providers` is None where the file's providers could not be read, which was noted; then any name will do.
    """
    if "provider" not in fields.node.entries and (providers is None or len(providers) == 1):
        fields.take("provider")
        return next(iter(providers or ("",)))
    name = fields.scalar("provider", str, required=True)
    if name is None or providers is None or name in providers:
        return name
    fields.reader.findings.add(
        "unknown-provider",
        "there is no such provider in the file",
        fields.node.entries["provider"].place,
        detail=f"{fields.name('provider')} is {name!r}, but `providers:` has no such entry",
        remedy=did_you_mean(name, providers) or f"add it: providers: {{{name}: {{}}}}",
    )
    return None


def _pool(name: str, table: Fields, fields: Fields, providers: Mapping[str, str] | None) -> Pool | None:
    sound_name = _check_name(name, table)
    role = _role(fields)
    provider = provider_of(fields, providers)
    count = _count(fields)
    size = fields.scalar("size", str) or ""
    zones = _distinct(fields, "zones")
    without = _distinct(fields, "without")
    if not sound_name or role is None or provider is None or count is None:
        return None
    pool = Pool(name, role, provider, count, size, zones, without, place=fields.place, places=dict(fields.node.keys))
    _check_without(pool, fields)
    return pool


def _check_name(name: str, table: Fields) -> bool:
    if _LABEL.fullmatch(name) and len(name) <= 57 and not name[0].isdigit():
        return True
    table.reader.findings.add(
        "name",
        "a name cannot be used",
        table.key_place(name),
        detail=f"the pool {name!r} must have a-z, 0-9 and - only, begin with a letter, and have 57 characters at "
        "most, since its nodes are named after it",
        remedy="rename it",
    )
    return False


def _role(fields: Fields) -> Role | None:
    text = fields.scalar("role", str, required=True)
    if text is not None and text not in ROLES:
        fields.reader.wrong_value(
            fields.node.entries["role"].place,
            f"{fields.name('role')} is {text!r}",
            did_you_mean(text, ROLES),
        )
    return None if text is None else ROLES.get(text)


def _count(fields: Fields) -> int | None:
    count = fields.scalar("count", int, required=True)
    if count is None or 0 <= count <= MAX_COUNT:
        return count
    fields.reader.wrong_value(
        fields.node.entries["count"].place,
        f"{fields.name('count')} is {count}",
        f"write a number from 0 to {MAX_COUNT}",
    )
    return None


def _distinct(fields: Fields, key: str) -> tuple[str, ...]:
    """A list of texts without repetitions and blanks, which are noted."""
    found: list[str] = []
    for text, place in fields.texts(key):
        if text in found or not text.strip():
            said = f"has {text!r} twice" if text in found else "has an empty entry"
            fields.reader.wrong_value(place, f"{fields.name(key)} {said}", "remove it")
        else:
            found.append(text)
    return tuple(found)


def _check_without(pool: Pool, fields: Fields) -> None:
    numbered = set(pool.numbered)
    for name, place in dict(reversed(fields.texts("without"))).items():
        if name not in numbered:
            fields.reader.findings.add(
                "unknown-node",
                "there is no such node",
                place,
                detail=f"{fields.name('without')} has {name!r}, but the pool has {_range(pool)}",
                remedy=did_you_mean(name, numbered) if len(numbered) <= 100 else "remove it, or raise `count`",
            )


def _range(pool: Pool) -> str:
    match pool.numbered:
        case ():
            return "no nodes"
        case (only,):
            return f"{only} only"
        case (first, *_, last):
            return f"{first} to {last}"
    raise AssertionError(pool)
