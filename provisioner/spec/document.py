"""YAML text as nodes that know their line and column.

Scalars follow the YAML 1.2 core schema, not the 1.1 rules many tools still have:

    null        an empty value, `~`, `null`
    booleans    `true` and `false` only; `yes`, `no`, `on` and `off` are text
    integers    `12`, `-3`, `0x1f`, `0o644`, within 64 bits; `0644` is refused, since YAML 1.1 reads it as octal
                and YAML 1.2 as decimal
    numbers     `0.5`, `1e3`; no infinity, no NaN
    text        everything else, so dates, versions with two dots and `1:30` stay what was written

Keys are text exactly as written, also `on:` or `1:`. `<<` merges mappings as YAML 1.1 does. Aliases share their
node; a document to which they would add more than `MAX_ALIASED` values is refused. The only tags accepted are those
that change nothing, and `!!str`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import yaml
from attrs import frozen

from provisioner.errors import Place
from provisioner.model.value import Scalar
from provisioner.spec.findings import Findings
from provisioner.spec.syntax import explain_syntax, explain_unreadable

MAX_ALIASED = 100_000
"""Values that aliases may add to those written; a file of a few lines can unfold into billions."""
MAX_DEPTH = 64


@frozen
class ScalarNode:
    """One value. `text` is what was written, `value` what it means."""

    value: Scalar
    text: str
    place: Place


@frozen
class ListNode:
    """A sequence, in order."""

    items: tuple[Node, ...]
    place: Place


@frozen
class MapNode:
    """A mapping, in the order written; `keys` has the place of each key."""

    entries: Mapping[str, Node]
    keys: Mapping[str, Place]
    place: Place


Node: TypeAlias = ScalarNode | ListNode | MapNode


def parse(data: bytes, file: str, findings: Findings) -> tuple[Node, ...]:
    """The documents of a YAML stream. What is wrong goes to `findings`; what could be read is returned.

    Never raises for any input. `file` is the name that places show.
    """
    text = _decode(data, file, findings)
    if text is None:
        return ()
    try:
        return build(text, file, findings, _FAST)
    except (yaml.YAMLError, ValueError, OverflowError):
        return _explained(text, file, findings)


def build(text: str, file: str, findings: Findings, loader: type[Any]) -> tuple[Node, ...]:
    """The documents as one of PyYAML's loaders reads them; raises what that raises."""
    builder = _Builder(file, findings)
    parser = loader(text)
    try:
        while not builder.hopeless and (event := parser.get_event()) is not None:
            builder.feed(event)
    finally:
        parser.dispose()
    return tuple(builder.documents)


def _explained(text: str, file: str, findings: Findings) -> tuple[Node, ...]:
    """Goes through what the fast parser does not take with the one that says best what is wrong.

    What was found before is found again, and noted once.
    """
    builder = _Builder(file, findings)
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            builder.feed(event)
            if builder.hopeless:
                break
    except yaml.MarkedYAMLError as err:
        explain_syntax(err, text, file, findings)
    except yaml.reader.ReaderError as err:
        explain_unreadable(text, err.position, file, findings)
    except (ValueError, OverflowError):  # an escape such as "\U00110000" names no character
        findings.add(
            "yaml-character",
            "there is an escape that names no character",
            Place(file, builder.line, 1),
            detail="a quoted text in this line or after it has \\U or \\u with a number outside Unicode",
            remedy="write the character itself, or a valid escape",
        )
    return tuple(builder.documents)


_FAST: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser in C, about twenty times as fast, where PyYAML was built with it."""


def _decode(data: bytes, file: str, findings: Findings) -> str | None:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        before = data[: err.start]
        column = len(before.rsplit(b"\n", 1)[-1].decode("utf-8", "replace")) + 1
        findings.add(
            "yaml-encoding",
            "the file is not UTF-8 text",
            Place(file, before.count(b"\n") + 1, column),
            detail=f"the byte 0x{data[err.start]:02x} does not belong there",
            remedy="save the file as UTF-8; a binary file cannot be used here",
        )
        return None
    return text


class _Frame:
    """A list or mapping whose end has not been read."""

    def __init__(self, place: Place, anchor: str | None, *, is_map: bool) -> None:
        self.place = place
        self.anchor = anchor
        self.is_map = is_map
        self.items: list[Node] = []
        self.entries: dict[str, Node] = {}
        self.keys: dict[str, Place] = {}
        self.merged: list[MapNode] = []
        self.key: ScalarNode | None = None
        self.skip_value = False
        self.size = 1
        self.depth = 1


class _Builder:
    """Builds nodes from parser events with a stack of its own, so that depth cannot exhaust Python's."""

    def __init__(self, file: str, findings: Findings) -> None:
        self.documents: list[Node] = []
        self.hopeless = False
        self.line = 1
        self._file = file
        self._findings = findings
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Node, int, int] | None] = {}
        self._aliased = 0

    def feed(self, event: yaml.Event) -> None:
        mark = event.start_mark
        assert mark is not None  # events that a parser made have their marks
        self.line = mark.line + 1
        match event:  # the most frequent first
            case yaml.ScalarEvent():
                place = Place(self._file, self.line, mark.column + 1)
                self._keep(event.anchor, self._scalar(event, place), size=1, depth=0)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                frame = self._stack.pop()
                self._keep(frame.anchor, self._close(frame), size=frame.size, depth=frame.depth)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._open(event, Place(self._file, self.line, mark.column + 1))
            case yaml.AliasEvent():
                self._alias(event, Place(self._file, self.line, mark.column + 1))
            case yaml.DocumentStartEvent():
                self._anchors = {}
            case _:
                pass

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, place: Place) -> None:
        is_map = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", "tag:yaml.org,2002:map" if is_map else "tag:yaml.org,2002:seq"):
            self._refuse_tag(event.tag, place)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Frame(place, event.anchor, is_map=is_map))
        if len(self._stack) > MAX_DEPTH:
            self._too_deep(place)

    def _close(self, frame: _Frame) -> Node:
        if not frame.is_map:
            return ListNode(tuple(frame.items), frame.place)
        for other in frame.merged:  # what is written here wins, then the first mapping merged
            for key, node in other.entries.items():
                frame.entries.setdefault(key, node)
                frame.keys.setdefault(key, other.keys[key])
        return MapNode(frame.entries, frame.keys, frame.place)

    def _keep(self, anchor: str | None, node: Node, *, size: int, depth: int) -> None:
        """Puts a finished node where it belongs. `size` counts its values, `depth` the levels inside it."""
        if anchor:
            self._anchors[anchor] = (node, size, depth)
        if not self._stack:
            self.documents.append(node)
            return
        frame = self._stack[-1]
        frame.size += size
        frame.depth = max(frame.depth, depth + 1)
        if len(self._stack) + depth > MAX_DEPTH:
            self._too_deep(node.place)
        elif not frame.is_map:
            frame.items.append(node)
        elif frame.key is None and not frame.skip_value:
            self._take_key(frame, node)
        else:
            self._take_value(frame, node)

    def _take_key(self, frame: _Frame, node: Node) -> None:
        if not isinstance(node, ScalarNode):
            self._findings.add(
                "yaml-key",
                "a key must be text",
                node.place,
                detail="a list or mapping stands where a key belongs",
                remedy="put quotes around a key that begins with [ or {, and around ${…} inside braces",
            )
            frame.skip_value = True
        elif node.text in frame.keys and node.text != "<<":
            first = frame.keys[node.text]
            self._findings.add(
                "yaml-duplicate-key",
                "a key stands twice in one mapping",
                node.place,
                detail=f"{node.text!r} was already set in line {first.line}",
                remedy="keep one of the two",
            )
            frame.skip_value = True
        else:
            frame.key = node

    def _take_value(self, frame: _Frame, node: Node) -> None:
        key, frame.key = frame.key, None
        if key is None:
            frame.skip_value = False
        elif key.text == "<<":
            self._merge(frame, node)
        else:
            frame.entries[key.text] = node
            frame.keys[key.text] = key.place

    def _merge(self, frame: _Frame, node: Node) -> None:
        for item in node.items if isinstance(node, ListNode) else (node,):
            if isinstance(item, MapNode):
                frame.merged.append(item)
            else:
                self._findings.add(
                    "yaml-merge",
                    "<< merges mappings only",
                    item.place,
                    detail="what stands behind << is no mapping",
                    remedy="name an anchor of a mapping, as in `<<: *defaults`",
                )

    def _alias(self, event: yaml.AliasEvent, place: Place) -> None:
        if event.anchor not in self._anchors:
            self._findings.add(
                "yaml-alias",
                "an alias names no anchor",
                place,
                detail=f"*{event.anchor} is used, but &{event.anchor} does not stand before it in this document",
                remedy=f"set the anchor first, or write the text in quotes: '*{event.anchor}'",
            )
            self._keep(None, ScalarNode(None, "", place), size=1, depth=0)
            return
        known = self._anchors[event.anchor]
        if known is None:
            self._findings.add(
                "yaml-alias",
                "an alias stands inside its own anchor",
                place,
                detail=f"*{event.anchor} would contain itself without end",
                remedy="write the value out",
            )
            known = (ScalarNode(None, "", place), 1, 0)
        node, size, depth = known
        self._aliased += size
        if self._aliased > MAX_ALIASED:
            self._too_large(place)
            return
        self._keep(None, node, size=size, depth=depth)

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> ScalarNode:
        if not event.value.isascii() and _SURROGATE.search(event.value):
            self._findings.add(
                "yaml-character",
                "there is an escape that names no character",
                place,
                detail="half of a surrogate pair stands in this text",
                remedy="write the character itself, or its \\U escape with eight digits",
            )
            return ScalarNode("", "", place)
        if event.tag in ("!", "tag:yaml.org,2002:str") or (event.tag is None and (event.style or self._at_key())):
            return ScalarNode(event.value, event.value, place)
        if event.tag is not None:
            self._refuse_tag(event.tag, place)
            return ScalarNode(event.value, event.value, place)
        try:
            return ScalarNode(core_value(event.value), event.value, place)
        except ValueError as err:
            self._findings.add(
                "yaml-number", "a number is not clear", place, detail=str(err.args[0]), remedy=str(err.args[1])
            )
            return ScalarNode(event.value, event.value, place)

    def _at_key(self) -> bool:
        frame = self._stack[-1] if self._stack else None
        return frame is not None and frame.is_map and frame.key is None and not frame.skip_value

    def _refuse_tag(self, tag: str, place: Place) -> None:
        self._findings.add(
            "yaml-tag",
            "YAML tags are not used here",
            place,
            detail=f"the tag {tag.replace('tag:yaml.org,2002:', '!!')} stands before this value",
            remedy="remove the tag; quote the value if it shall be text",
        )

    def _too_deep(self, place: Place) -> None:
        self._findings.add(
            "yaml-deep",
            "the file is nested too deeply",
            place,
            detail=f"more than {MAX_DEPTH} lists and mappings stand inside each other",
            remedy="look for a bracket that is never closed",
        )
        self.hopeless = True

    def _too_large(self, place: Place) -> None:
        self._findings.add(
            "yaml-large",
            "the file unfolds into too many values",
            place,
            detail=f"aliases add more than {MAX_ALIASED} values to those that are written",
            remedy="use fewer aliases of aliases",
        )
        self.hopeless = True


_SURROGATE = re.compile("[\ud800-\udfff]")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: Mapping[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def core_value(text: str) -> Scalar:
    """What an unquoted scalar means. Raises ValueError(detail, remedy) where readers of YAML disagree."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _INTEGER.fullmatch(text):
        digits = text.lstrip("+-")
        if len(digits) > 1 and digits[0] == "0":
            octal = f"0o{digits.lstrip('0') or '0'}, " if set(digits) <= set("01234567") else ""
            raise ValueError(
                f"{text} begins with a zero: some readers take it as octal, others as decimal",
                f"write {octal}'{text}' in quotes for text, or leave out the zero",
            )
        return _within_64_bits(text, 10)
    if _BASED.fullmatch(text):
        return _within_64_bits(text, 0)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a finite number", "write a number, or quotes for text")
    if _NUMBER.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            raise ValueError("the number is too large", "write quotes around it if it is text")
        return number
    return text


def _within_64_bits(text: str, base: int) -> int:
    number = int(text, base) if len(text) <= 70 else 1 << 64
    if not -(1 << 63) <= number < (1 << 64):
        raise ValueError("the number does not fit into 64 bits", "write quotes around it if it is text")
    return number


def scalars(node: Node) -> Iterator[ScalarNode]:
    """Every scalar inside, in the order written."""
    match node:
        case ScalarNode():
            yield node
        case ListNode():
            for item in node.items:
                yield from scalars(item)
        case MapNode():
            for item in node.entries.values():
                yield from scalars(item)
