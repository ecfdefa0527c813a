"""The entries of `resources:`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from attrs import field, frozen

from provisioner.errors import Place
from provisioner.model.address import Address
from provisioner.spec.document import Node
from provisioner.spec.fields import Fields, Reader
from provisioner.spec.findings import did_you_mean
from provisioner.spec.pools import provider_of
from provisioner.spec.references import NODE_KIND
from provisioner.spec.schema import ResourceBlock

RESERVED: Final = ("talos", "cluster")
"""Provider types that are not the file's to use: what is built in, and the file's own names."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?")
_KIND = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


@frozen
class Resources:
    """The blocks by name, as far as they could be read: each with its provider, kind, and the rest to be read."""

    addresses: Mapping[str, Address | None] = field(factory=dict)
    """None for a block with a problem of its own."""
    _blocks: Mapping[str, tuple[Fields, str]] = field(factory=dict)

    def complete(self, reader: Reader, nodes: Collection[str], *, sure: bool) -> tuple[ResourceBlock, ...]:
        """The blocks with their props, which may refer to nodes and to each other."""
        read = (
            self._block(address, *self._blocks[name], reader, nodes, sure=sure)
            for name, address in self.addresses.items()
            if address is not None
        )
        return tuple(read)

    def _block(
        self, address: Address, fields: Fields, provider: str, reader: Reader, nodes: Collection[str], *, sure: bool
    ) -> ResourceBlock:
        props = fields.table("props")
        after = [
            self._after(text, place, f"resources.{address.name}.after", reader, nodes, sure=sure)
            for text, place in fields.texts("after")
        ]
        block = ResourceBlock(
            address.name,
            address.kind,
            provider,
            {} if props is None else {key: reader.free(node) for key, node in props},
            tuple(found for found in after if found is not None),
            fields.scalar("protect", bool) or False,
            fields.place,
            {} if props is None else dict(props.node.keys),
        )
        fields.finish(also=("kind", "provider"))
        return block

    def _after(
        self, text: str, place: Place, what: str, reader: Reader, nodes: Collection[str], *, sure: bool
    ) -> Address | None:
        """`nodes.NAME`, `resources.NAME`, or an address as plans show it."""
        root, _, name = text.partition(".")
        if root == "nodes" and (name in nodes or not sure):
            return Address(NODE_KIND, name)
        if root == "resources" and name in self.addresses:
            return self.addresses[name]
        if root in ("nodes", "resources"):
            known: Collection[str] = nodes if root == "nodes" else self.addresses
            near = did_you_mean(name, known)
            reader.findings.add(
                "unknown-node" if root == "nodes" else "unknown-resource",
                "there is no such node" if root == "nodes" else "there is no such resource in the file",
                place,
                detail=f"{what} has {text!r}",
                remedy=near or "remove it",
            )
            return None
        try:
            return Address.parse(text)
        except ValueError:
            reader.wrong_value(
                place,
                f"{what} has {text!r}",
                "write nodes.NAME, resources.NAME, or an address such as sim.machine/control-1",
            )
            return None


def read_resources(table: Fields | None, providers: Mapping[str, str]) -> Resources:
    """What decides which resources there are. `providers` are the names the file has, with their types."""
    addresses: dict[str, Address | None] = {}
    blocks: dict[str, tuple[Fields, str]] = {}
    for name, node in table or ():
        assert table is not None
        addresses[name] = None
        found = _head(name, node, table, providers)
        if found is not None:
            addresses[name], *_ = found
            blocks[name] = found[1:]
    return Resources(addresses, blocks)


def _head(name: str, node: Node, table: Fields, providers: Mapping[str, str]) -> tuple[Address, Fields, str] | None:
    fields = table.reader.table(node, f"resources.{name}")
    if fields is None:
        return None
    sound_name = _check_name(name, table)
    kind = _kind(fields)
    provider = provider_of(fields, providers)
    if not sound_name or kind is None or provider is None:
        return None
    type_ = kind.partition(".")[0]
    if providers[provider] not in (type_, ""):
        fields.reader.wrong_value(
            fields.node.entries["kind"].place,
            f"{fields.name('kind')} is {kind}, but the provider {provider} is of type {providers[provider]}",
            f"use a kind such as {providers[provider]}.{kind.partition('.')[2]}, or a provider of type {type_}",
        )
        return None
    return Address(kind, name), fields, provider


def _check_name(name: str, table: Fields) -> bool:
    if _NAME.fullmatch(name) and len(name) <= 63:
        return True
    table.reader.findings.add(
        "name",
        "a name cannot be used",
        table.key_place(name),
        detail=f"the resource {name!r} must have a-z, 0-9, - and _ only, and 63 characters at most",
        remedy="rename it",
    )
    return False


def _kind(fields: Fields) -> str | None:
    kind = fields.scalar("kind", str, required=True)
    if kind is None:
        return None
    place = fields.node.entries["kind"].place
    if not _KIND.fullmatch(kind):
        fields.reader.wrong_value(
            place,
            f"{fields.name('kind')} is {kind!r}",
            "write TYPE.KIND, as in sim.balancer; `prov providers` lists all",
        )
        return None
    if kind.partition(".")[0] in RESERVED:
        fields.reader.wrong_value(
            place, f"{fields.name('kind')} is {kind!r}, which prov makes itself", "say it under `talos:` or `pools:`"
        )
        return None
    return kind
