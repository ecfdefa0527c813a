"""The entries of `resources:`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from attrs import evolve, field, frozen

from provisioner.errors import Place
from provisioner.model.address import Address
from provisioner.model.resource import Replace
from provisioner.spec.document import MapNode
from provisioner.spec.fields import Fields, Reader
from provisioner.spec.pools import provider_of
from provisioner.spec.references import NODE_KIND
from provisioner.spec.schema import ResourceBlock

CORE: Final = "core"
"""The built-in provider that serves `core.value`, also where no provider is named."""
OURS: Final = ("talos", "cluster")
"""What kinds of the file may not belong to: prov makes those itself."""
RESERVED: Final = (*OURS, CORE)
"""Names that no provider of the file may have."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?")
_KIND = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


@frozen
class Resources:
    """The addresses of the blocks by name, and what is still to be read of them."""

    addresses: Mapping[str, Address | None] = field(factory=dict)
    """None for a block with a problem of its own."""
    _blocks: Mapping[str, tuple[Fields, str]] = field(factory=dict)
    """Each with its provider."""

    def complete(self, reader: Reader, nodes: Collection[str], *, sure: bool) -> tuple[ResourceBlock, ...]:
        """The blocks with their props, which may refer to nodes and to each other."""
        read = (self._block(name, *block, reader, nodes, sure=sure) for name, block in self._blocks.items())
        blocks = tuple(block for block in read if block is not None)
        self._taken_over_once(blocks, reader)
        return blocks

    def _taken_over_once(self, blocks: tuple[ResourceBlock, ...], reader: Reader) -> None:
        """Notes where two blocks would be one and the same object."""
        first: dict[tuple[str, str, str], str] = {}
        for block in blocks:
            other = first.setdefault((block.provider, block.kind, block.adopts), block.name)
            if block.adopts and other != block.name:
                reader.wrong_value(
                    self._blocks[block.name][0].node.entries["import"].place,
                    f"resources.{block.name} takes over {block.adopts!r}, and so does resources.{other}",
                    "leave one of the two",
                )

    def _block(
        self, name: str, fields: Fields, provider: str, reader: Reader, nodes: Collection[str], *, sure: bool
    ) -> ResourceBlock | None:
        if (each := fields.reader.scope.each) is not None:
            reader = Reader(reader.findings, evolve(reader.scope, each=each))
        table = fields.table("props")
        props = {} if table is None else {key: reader.free(node) for key, node in table}
        after = [
            self._after(text, place, fields.name("after"), reader, nodes, sure=sure)
            for text, place in fields.texts("after")
        ]
        protect = fields.scalar("protect", bool) or False
        adopts = fields.scalar("import", str) or ""
        replace, ignore = _lifecycle(fields.table("lifecycle"))
        fields.finish()
        address = self.addresses[name]
        if address is None:
            return None
        return ResourceBlock(
            name=name,
            kind=address.kind,
            provider=provider,
            props=props,
            after=tuple(found for found in after if found is not None),
            protect=protect,
            replace=replace,
            ignore=ignore,
            adopts=adopts,
            place=fields.place,
            places={} if table is None else dict(table.node.keys),
        )

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
            near = reader.findings.near(name, known)
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


_PATH = re.compile(r"[^.\[\]]+(\.[^.\[\]]+)*")
_WAYS: Final[tuple[Replace, ...]] = ("delete_first", "create_first")


def _lifecycle(table: Fields | None) -> tuple[Replace, tuple[str, ...]]:
    """Which comes first in a replacement, and the paths into the props that are left alone."""
    if table is None:
        return "delete_first", ()
    text = table.scalar("replace", str)
    paths = table.texts("ignore")
    table.finish()
    if text is not None and text not in _WAYS:
        near = table.reader.findings.near(text, _WAYS)
        place = table.node.entries["replace"].place
        table.reader.wrong_value(place, f"{table.name('replace')} is {text!r}", near or f"write {' or '.join(_WAYS)}")
    for path, place in paths:
        if not _PATH.fullmatch(path) or not path.startswith("props."):
            table.reader.wrong_value(place, f"{table.name('ignore')} has {path!r}", _as_path(path))
    ignore = tuple(path.removeprefix("props.") for path, _ in paths)
    return next((way for way in _WAYS if way == text), "delete_first"), ignore


def _as_path(text: str) -> str:
    """What to write instead of a path that cannot be used."""
    if "[" in text or "]" in text:
        return "put dots between the parts, as in props.disks.0.size"
    if _PATH.fullmatch(text) and text != "props":
        return f"write props.{text}"
    return "write a path into the properties, such as props.tags"


def read_resources(table: Fields | None, providers: Mapping[str, str] | None) -> Resources:
    """What decides which resources there are. `providers` are the names the file has, with their types."""
    addresses: dict[str, Address | None] = {}
    blocks: dict[str, tuple[Fields, str]] = {}
    for name, node in table or ():
        assert table is not None
        block = table.reader.table(node, f"resources.{name}")
        if block is None:
            addresses[name] = None
            continue
        for own, fields in _instances(name, block):
            sound_name = _check_name(own, name, table) and _check_once(own, name, addresses, table)
            text = fields.scalar("kind", str, required=True)
            provider, type_ = _provider(fields, text, providers)
            kind = None if text is None else _kind(text, fields, type_)
            sound = sound_name and kind is not None and provider is not None
            addresses[own] = Address(kind or "", own) if sound else None
            blocks[own] = (fields, provider or "")
    return Resources(addresses, blocks)


def _instances(name: str, block: Fields) -> Iterator[tuple[str, Fields]]:
    """The block itself; or with `for_each` one for each entry, named after its key, never by a number."""
    node = block.take("for_each")
    if node is None:
        yield name, block
        return
    reader = block.reader
    entries = reader.settle(node)
    if not isinstance(entries, MapNode):
        if entries is not None:
            reader.wrong_type(entries, "a mapping", block.name("for_each"), computed=entries is not node)
        return
    for key, item in entries.entries.items():
        each = Reader(reader.findings, evolve(reader.scope, each=(key, reader.free(item))))
        fields = Fields(each, block.node, f"{block.what}[{key}]")
        fields.take("for_each")
        yield f"{name}-{key}", fields


def is_name(text: str) -> bool:
    """Whether a resource may be called so."""
    return _NAME.fullmatch(text) is not None and len(text) <= 63


def _check_once(name: str, block: str, addresses: Mapping[str, Address | None], table: Fields) -> bool:
    if name not in addresses:
        return True
    table.reader.findings.add(
        "resource-twice",
        "two resources have the same address",
        table.key_place(block),
        detail=f"resources.{block} makes {name!r}, and there is another one of that name",
        remedy="rename one of them",
    )
    return False


def _check_name(name: str, block: str, table: Fields) -> bool:
    if is_name(name):
        return True
    table.reader.findings.add(
        "name",
        "a name cannot be used",
        table.key_place(block),
        detail=f"the resource {name!r} must have a-z, 0-9, - and _ only, and 63 characters at most",
        remedy="rename it",
    )
    return False


def _provider(fields: Fields, kind: str | None, providers: Mapping[str, str] | None) -> tuple[str | None, str]:
    """The instance that serves a block, None where it has none, and its type, empty where that is not known."""
    if kind is not None and kind.startswith(f"{CORE}."):
        named = fields.scalar("provider", str)
        if named not in (None, CORE):
            fields.reader.wrong_value(
                fields.node.entries["provider"].place,
                f"{fields.name('provider')} is {named!r}, and {kind} is built in",
                "take it out",
            )
        return CORE, CORE
    provider = provider_of(fields, providers)
    return provider, "" if provider is None or providers is None else providers[provider]


def _kind(kind: str, fields: Fields, type_: str) -> str | None:
    """The kind of a block if it can be used; `type_` is the type of its provider, empty where it is not known."""
    own, _, rest = kind.partition(".")
    if not _KIND.fullmatch(kind):
        said, remedy = "", "write TYPE.KIND, as in sim.balancer; `prov providers` lists all"
    elif own in OURS:
        said, remedy = ", which prov makes itself", "say it under `talos:` or `pools:`"
    elif type_ and own != type_:
        said = f", but its provider is of type {type_}"
        remedy = f"use a kind such as {type_}.{rest}, or a provider of type {own}"
    else:
        return kind
    fields.reader.wrong_value(fields.node.entries["kind"].place, f"{fields.name('kind')} is {kind!r}{said}", remedy)
    return None
