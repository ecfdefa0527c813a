"""The entries of `moved:`: what is called otherwise now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from provisioner.errors import Place
from provisioner.model.address import Address
from provisioner.model.state import Move
from provisioner.spec.document import ListNode, Node
from provisioner.spec.fields import Fields, Reader

_FORM = "write resources.NAME, or an address such as core.value/release"


def read_moved(
    node: Node | None, reader: Reader, addresses: Mapping[str, Address | None], *, sure: bool
) -> tuple[Move, ...]:
    """The moves in the order of the file; `addresses` are those of `resources:` by name, None for a faulty one.

    `resources.NAME` under `from` has the kind of `to`, for the file need not name the old one any more.
    """
    if node is None:
        return ()
    if not isinstance(node, ListNode):
        reader.wrong_type(node, "a list", "moved")
        return ()
    moves: list[Move] = []
    for index, item in enumerate(node.items):
        fields = reader.table(item, f"moved[{index}]")
        if fields is not None:
            moves += _moves(fields, addresses, {move.origin for move in moves}, sure=sure)
    return tuple(moves)


def _moves(
    fields: Fields, addresses: Mapping[str, Address | None], moved: set[Address], *, sure: bool
) -> Iterator[Move]:
    """The one move of an entry, or none where something is wrong with it."""
    origin, target = _text(fields, "from"), _text(fields, "to")
    fields.finish()
    if origin is None or target is None:
        return
    to = _target(fields, *target, addresses, sure=sure)
    if to is None:
        return
    from_ = _origin(fields, *origin, to)
    if from_ is None:
        return
    if from_.kind != to.kind:
        fields.reader.wrong_value(
            origin[1], f"{fields.what} turns a {from_.kind} into a {to.kind}", "move things to their own kind only"
        )
    elif from_ == to:
        fields.reader.wrong_value(origin[1], f"{fields.what} moves {to} to itself", "take the entry out")
    elif from_ in moved:
        fields.reader.wrong_value(origin[1], f"{from_} is moved twice", "leave one of the entries")
    else:
        yield Move(from_, to)


def _text(fields: Fields, key: str) -> tuple[str, Place] | None:
    text = fields.scalar(key, str, required=True)
    return None if text is None else (text, fields.node.entries[key].place)


def _target(
    fields: Fields, text: str, place: Place, addresses: Mapping[str, Address | None], *, sure: bool
) -> Address | None:
    """What the file calls it now: something under `resources:`, for nodes keep their names."""
    root, _, name = text.partition(".")
    if root == "resources" and name in addresses:
        return addresses[name]
    known = {str(address): address for address in addresses.values() if address is not None}
    if text in known:
        return known[text]
    if sure:
        fields.reader.findings.add(
            "unknown-resource",
            "there is no such resource in the file",
            place,
            detail=f"{fields.name('to')} has {text!r}",
            remedy=fields.reader.findings.near(text, [*known, *(f"resources.{name}" for name in addresses)])
            or "name something under `resources:`; nodes keep their names",
        )
    return None


def _origin(fields: Fields, text: str, place: Place, to: Address) -> Address | None:
    root, _, name = text.partition(".")
    try:
        return Address(to.kind, name) if root == "resources" and name else Address.parse(text)
    except ValueError:
        fields.reader.wrong_value(place, f"{fields.name('from')} has {text!r}", _FORM)
        return None
