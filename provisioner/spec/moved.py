"""The entries of `moved:`: what is called otherwise now.

They are done in turn, so an entry may lead to a name that a later one moves on, and the last of such a chain leads to
something under `resources:`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from attrs import frozen

from provisioner.errors import Place
from provisioner.model.address import Address
from provisioner.spec.document import ListNode, Node
from provisioner.spec.fields import Fields, Reader
from provisioner.spec.resources import is_name
from provisioner.spec.schema import MovedBlock

_FORM = "write resources.NAME, or an address such as core.value/release"
_NODES = "nodes and what stands with them keep their names; only what is under `resources:` can be moved"


@frozen
class _Name:
    """What stands under `from` or `to`; the kind is empty where the file does not say it."""

    kind: str
    name: str
    text: str
    place: Place


@frozen
class _Entry:
    fields: Fields
    origin: _Name
    target: _Name


def read_moved(node: Node | None, reader: Reader, addresses: Mapping[str, Address | None]) -> tuple[MovedBlock, ...]:
    """The moves in the order of the file; `addresses` are those of `resources:` by name, None for a faulty one.

    `resources.NAME` under `from` has the kind of `to`, for the file need not name the old one any more.
    """
    if node is None:
        return ()
    if not isinstance(node, ListNode):
        reader.wrong_type(node, "a list", "moved")
        return ()
    tables = (reader.table(item, f"moved[{index}]") for index, item in enumerate(node.items))
    entries = [entry for fields in tables if fields is not None and (entry := _entry(fields)) is not None]
    moved = _to_other_names(_resolved(entries, addresses))
    _refuse_circles(moved, reader)
    return moved


def _entry(fields: Fields) -> _Entry | None:
    origin, target = _name(fields, "from"), _name(fields, "to")
    fields.finish()
    return None if origin is None or target is None else _Entry(fields, origin, target)


def _name(fields: Fields, key: str) -> _Name | None:
    text = fields.scalar(key, str, required=True)
    if text is None:
        return None
    place = fields.node.entries[key].place
    root, _, bare = text.partition(".")
    if root == "resources" and is_name(bare):
        return _Name("", bare, text, place)
    try:
        address = Address.parse(text)
    except ValueError:
        fields.reader.wrong_value(place, f"{fields.name(key)} is {text!r}", _NODES if root == "nodes" else _FORM)
        return None
    return _Name(address.kind, address.name, text, place)


def _resolved(
    entries: list[_Entry], addresses: Mapping[str, Address | None]
) -> list[tuple[_Entry, Address, Address]]:
    """The entries with both addresses, but those with a problem.

    They are gone through from the last to the first, for the end of a chain tells the kind of all of it.
    """
    names = {entry.origin.name for entry in entries}
    onward: dict[str, Address | None] = {}
    found: list[tuple[_Entry, Address, Address]] = []
    for entry in reversed(entries):
        to = _target(entry, addresses, onward, names)
        origin = None if to is None else Address(entry.origin.kind or to.kind, entry.origin.name)
        onward[entry.origin.name] = origin
        if to is None or origin is None:
            continue
        if origin.kind == to.kind:
            found.append((entry, origin, to))
            continue
        detail = f"{entry.fields.what} turns a {origin.kind} into a {to.kind}"
        entry.fields.reader.wrong_value(entry.origin.place, detail, "move things to their own kind only")
    return found[::-1]


def _target(
    entry: _Entry,
    addresses: Mapping[str, Address | None],
    onward: Mapping[str, Address | None],
    names: Collection[str],
) -> Address | None:
    """What a later entry moves on, or what the file calls it now; None if that has a problem, or there is none.

    `names` are those that any entry moves.
    """
    wanted = entry.target
    known = [source[wanted.name] for source in (onward, addresses) if wanted.name in source]
    fitting = [address for address in known if address is None or wanted.kind in ("", address.kind)]
    if fitting:
        return fitting[0]
    entry.fields.reader.findings.add(
        "unknown-resource",
        "there is no such resource in the file",
        wanted.place,
        detail=f"{entry.fields.name('to')} is {wanted.text!r}",
        remedy="put this entry before the one that moves it on"
        if wanted.name in names
        else _near(entry, addresses) or _NODES,
    )
    return None


def _near(entry: _Entry, addresses: Mapping[str, Address | None]) -> str:
    """The name that may be meant; empty where nothing has the kind that is wanted."""
    known = [address for address in addresses.values() if address is not None]
    wanted = entry.target
    if not wanted.kind:
        return entry.fields.reader.findings.near(wanted.text, [f"resources.{name}" for name in addresses])
    alike = [str(address) for address in known if address.kind == wanted.kind]
    return entry.fields.reader.findings.near(wanted.text, alike)


def _to_other_names(resolved: Iterable[tuple[_Entry, Address, Address]]) -> tuple[MovedBlock, ...]:
    """The moves, but those to the same name, and second ones of a name."""
    moved: dict[Address, MovedBlock] = {}
    for entry, origin, to in resolved:
        place = entry.origin.place
        if origin == to:
            entry.fields.reader.wrong_value(place, f"{entry.fields.what} moves {to} to itself", "take the entry out")
        elif origin in moved:
            entry.fields.reader.wrong_value(place, f"{origin} is moved twice", "leave one of the entries")
        else:
            moved[origin] = MovedBlock(origin, to, place)
    return tuple(moved.values())


def _refuse_circles(moved: tuple[MovedBlock, ...], reader: Reader) -> None:
    """Names that change places would do so with every apply anew."""
    by_origin = {move.origin: move for move in moved}
    for circle in _circles(by_origin):
        first = min((by_origin[address] for address in circle), key=moved.index)
        at = circle.index(first.origin)
        way = " → ".join(map(str, (*circle[at:], *circle[:at], first.origin)))
        reader.wrong_value(
            first.place, f"moved leads back to where it began: {way}", "take out the entries that were done earlier"
        )


def _circles(by_origin: Mapping[Address, MovedBlock]) -> Iterator[list[Address]]:
    cleared: set[Address] = set()
    for start in by_origin:
        path: dict[Address, None] = {}
        at = start
        while at in by_origin and at not in cleared and at not in path:
            path[at] = None
            at = by_origin[at].target
        if at in path:
            way = [*path]
            yield way[way.index(at) :]
        cleared.update(path)
