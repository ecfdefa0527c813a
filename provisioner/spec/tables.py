"""Tables beside the cluster file, such as an inventory of hosts: rows by name, checked line by line.

A table is YAML or CSV. In YAML it is a mapping of names to rows, or a list of rows with a `name`; in CSV the first
line has the names of the columns. The cells of a CSV file mean what the row's class says: a list is written with
spaces between its items, a mapping as `key=value` items, and an empty cell says nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from provisioner.errors import Place, did_you_mean
from provisioner.model.schema import Schema
from provisioner.model.value import Value
from provisioner.spec.document import ListNode, MapNode, Node, ScalarNode, parse
from provisioner.spec.fields import Reader
from provisioner.spec.findings import Findings

Rows = Mapping[str, Mapping[str, Value]]
Check = Callable[[Mapping[str, Value]], Iterable[tuple[str, str, str]]]
"""What else is wrong with a row whose fields are of the right types: the field, a sentence, a remedy."""
Single = Callable[[Mapping[str, Value]], Iterable[tuple[str, str]]]
"""What no other row of the table may have: the field, and its value in a form that can be compared."""

_NUMBERS = (int, float)


def read_table(
    data: bytes,
    shown: str,
    schema: Schema,
    reader: Reader,
    check: Check = lambda row: (),
    single: Single = lambda row: (),
) -> Rows:
    """The rows of a table by name, in the order written, with defaults filled in and secret cells concealed.

    `shown` is the name that places show; a name that ends in `.csv` is read as CSV. What is wrong goes to the
    reader's findings, and the row concerned is left out.
    """
    twice = Twice(reader.findings, single)
    nodes = _from_csv(data, shown, schema, reader) if shown.endswith(".csv") else _from_yaml(data, shown, reader)
    rows: dict[str, Mapping[str, Value]] = {}
    for name, place, node in nodes:
        if name in rows:
            reader.findings.add(
                "table-twice",
                "a table has two rows of one name",
                place,
                detail=f"{name} is there already",
                remedy="rename one of them",
            )
        row = _row(name, node, schema, reader, check)
        if row is not None:
            rows[name] = row
            twice.note(name, row, partial(_place, node))
    return rows


def _place(node: MapNode, field: str) -> Place:
    """Where a row says a field; the row itself where it does not."""
    return node.keys.get(field, node.place)


class Twice:
    """Notes what two rows of a table have that only one can have."""

    def __init__(self, findings: Findings, single: Single) -> None:
        self._findings = findings
        self._single = single
        self._seen: dict[tuple[str, str], tuple[str, Place]] = {}

    def note(self, name: str, row: Mapping[str, Value], place_of: Callable[[str], Place]) -> None:
        for field, value in self._single(row):
            place = place_of(field)
            other, there = self._seen.setdefault((field, value), (name, place))
            if other != name:
                self._findings.add(
                    "table-row-twice",
                    "two rows of a table have what only one can have",
                    place,
                    detail=f"{name}: {field} {value} is that of {other} at {there}",
                    remedy="correct one of them; look which of the two really has it",
                )


def _row(name: str, node: MapNode, schema: Schema, reader: Reader, check: Check) -> Mapping[str, Value] | None:
    given = {key: reader.free(item) for key, item in node.entries.items() if not _empty(item)}
    fits = True
    for field, sentence in schema.complaints(given):
        fits = False
        reader.findings.add(
            "table-row",
            "a row of a table cannot be used",
            _place(node, field),
            detail=f"{name}: {field} {sentence.replace('of this kind', 'that a row can have')}",
            remedy=did_you_mean(field, schema.fields) or f"a row has {', '.join(schema.fields)}",
        )
    if not fits:
        return None
    row = schema.normal(given)
    for field, sentence, remedy in check(row):
        refuse_row(reader.findings, name, field, sentence, remedy, _place(node, field))
    return row


def refuse_row(findings: Findings, name: str, field: str, sentence: str, remedy: str, place: Place) -> None:
    """Notes that a row has the right types but cannot be used."""
    detail = f"{name}: {field} {sentence}"
    findings.add("table-row", "a row of a table cannot be used", place, detail=detail, remedy=remedy)


def _from_yaml(data: bytes, shown: str, reader: Reader) -> Iterator[tuple[str, Place, MapNode]]:
    for document in parse(data, shown, reader.findings):
        match document:
            case MapNode():
                for name, node in document.entries.items():
                    if isinstance(node, MapNode):
                        yield name, document.keys[name], node
                    else:
                        reader.wrong_type(node, "a mapping", name)
            case ListNode():
                yield from filter(None, (_listed(item, reader) for item in document.items))
            case _ if not _empty(document):
                reader.wrong_type(document, "a mapping", "the table")


def _listed(node: Node, reader: Reader) -> tuple[str, Place, MapNode] | None:
    """A row of a list, which says its name itself."""
    if not isinstance(node, MapNode):
        reader.wrong_type(node, "a mapping", "a row")
        return None
    name = node.entries.get("name")
    if not isinstance(name, ScalarNode) or not name.text:
        reader.findings.add(
            "missing-key",
            "a required key is missing",
            node.place,
            detail="a row has no name",
            remedy="add `name:` here",
        )
        return None
    rest = {key: item for key, item in node.entries.items() if key != "name"}
    return name.text, name.place, MapNode(rest, node.keys, node.place)


def _from_csv(data: bytes, shown: str, schema: Schema, reader: Reader) -> Iterator[tuple[str, Place, MapNode]]:
    try:
        lines = csv.DictReader(io.StringIO(data.decode("utf-8-sig")), strict=True, restkey="")
        for cells in lines:
            place = Place(shown, lines.line_num, 1)
            if "" in cells:
                _refuse(reader, place, "it has more cells than the first line has columns")
                continue
            entries = {key: _cell(text, schema, key, place) for key, text in cells.items() if key != "name" and text}
            if cells.get("name"):
                yield cells["name"], place, MapNode(entries, dict.fromkeys(entries, place), place)
            else:
                _refuse(reader, place, "it has no name")
    except (csv.Error, UnicodeDecodeError) as err:
        _refuse(reader, Place(shown, 1, 1), str(err))


def _refuse(reader: Reader, place: Place, detail: str) -> None:
    reader.findings.add(
        "table-line",
        "a line of a table cannot be read",
        place,
        detail=detail,
        remedy="write the columns of the first line, with commas between them and quotes around commas",
    )


def _cell(text: str, schema: Schema, name: str, place: Place) -> Node:
    """What a cell means, by the type that the row's class gives it."""
    kind = schema.fields[name].type if name in schema.fields else str
    origin = getattr(kind, "__origin__", kind)
    if origin is tuple:
        return ListNode(tuple(ScalarNode(item, item, place) for item in text.split()), place)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        pairs = dict(item.partition("=")[::2] for item in text.split())
        return MapNode(
            {key: ScalarNode(value, value, place) for key, value in pairs.items()}, dict.fromkeys(pairs, place), place
        )
    if kind is bool and text in ("true", "false"):
        return ScalarNode(text == "true", text, place)
    if kind in _NUMBERS and text.lstrip("-").isdecimal():
        return ScalarNode(int(text), text, place)
    return ScalarNode(text, text, place)


def _empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.value is None
