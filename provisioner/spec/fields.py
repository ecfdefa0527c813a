"""One mapping of the file, read key by key.

Two ways lead from a node to a value. A *settled* value decides what the cluster consists of: its expressions may use
variables and the environment, it is plain, and it has a type that is checked here. A *free* value belongs to a
provider or to Talos: it may hold references and secrets, and whoever owns it checks it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar

from attrs import evolve

from provisioner.errors import Place, did_you_mean
from provisioner.model.value import Scalar, Value, has_secret
from provisioner.spec.document import ListNode, MapNode, Node, ScalarNode
from provisioner.spec.expressions import expand, has_expression
from provisioner.spec.findings import Findings
from provisioner.spec.references import ReferenceFault, Scope

T = TypeVar("T", bound=Scalar)

_SPOKEN: Mapping[type, str] = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


class Reader:
    """Turns nodes into values within a scope. What is wrong is noted, and the value is then None."""

    def __init__(self, findings: Findings, scope: Scope) -> None:
        self.findings = findings
        self.scope = scope

    def free(self, node: Node) -> Value:
        """The value with its references; a part that is wrong becomes None."""
        match node:
            case MapNode():
                return {key: self.free(item) for key, item in node.entries.items()}
            case ListNode():
                return tuple(self.free(item) for item in node.items)
            case ScalarNode(value=str(text)) if has_expression(text):
                try:
                    return expand(text, self.scope)
                except ReferenceFault as fault:
                    self._note(fault, node.place)
                    return None
            case ScalarNode():
                return node.value

    def settle(self, node: Node) -> Node | None:
        """The node with its own expression, if it is one, replaced by what it means."""
        if not isinstance(node, ScalarNode) or not has_expression(node.text) or not isinstance(node.value, str):
            return node
        try:
            value = expand(node.value, evolve(self.scope, resources=None))
        except ReferenceFault as fault:
            self._note(fault, node.place)
            return None
        if has_secret(value):
            self.findings.add(
                "expression-secret",
                "a secret cannot decide what the cluster consists of",
                node.place,
                detail="this value shows in names and plans, and env.NAME is secret unless it is declared",
                remedy="declare it as plain: variables: {name: {type: string, env: NAME}}, and use ${var.name}",
            )
            return None
        return as_node(value, node.place)

    def scalar(self, node: Node, kind: type[T], what: str) -> T | None:
        """A settled scalar of exactly this type."""
        found = self.settle(node)
        if found is None:
            return None
        if isinstance(found, ScalarNode) and _is(found.value, kind):
            return found.value  # type: ignore[return-value]
        self.wrong_type(found, _SPOKEN[kind], what, computed=found is not node)
        return None

    def texts(self, node: Node, what: str) -> tuple[tuple[str, Place], ...] | None:
        """A settled list of texts, each with its place."""
        found = self.settle(node)
        if found is None:
            return None
        if not isinstance(found, ListNode):
            self.wrong_type(found, "a list", what, computed=found is not node)
            return None
        read = [(self.scalar(item, str, f"{what}[{at}]"), item.place) for at, item in enumerate(found.items)]
        return tuple((text, place) for text, place in read if text is not None)

    def table(self, node: Node, what: str) -> Fields | None:
        """A mapping with known keys; an empty value counts as an empty mapping."""
        if isinstance(node, ScalarNode) and node.value is None:
            node = MapNode({}, {}, node.place)
        if isinstance(node, MapNode):
            return Fields(self, node, what)
        self.wrong_type(node, "a mapping", what)
        return None

    def wrong_type(self, node: Node, wanted: str, what: str, *, computed: bool = False) -> None:
        """Notes that a value is of another type than `wanted`, and what to write instead."""
        self.findings.add(
            "wrong-type",
            "a value has the wrong type",
            node.place,
            detail=f"{what} must be {wanted}, but is {_spoken(node)}",
            remedy=f"let the expression give {wanted}" if computed else _remedy(node, wanted),
        )

    def wrong_value(self, place: Place, detail: str, remedy: str) -> None:
        """Notes that a value has the right type but cannot be used."""
        self.findings.add("wrong-value", "a value cannot be used", place, detail=detail, remedy=remedy)

    def _note(self, fault: ReferenceFault, place: Place) -> None:
        if not fault.reported:
            self.findings.add(fault.code, fault.summary, place, detail=fault.detail, remedy=fault.remedy)


class Fields:
    """A mapping of the file, named `what` in messages. It remembers which keys were asked for."""

    def __init__(self, reader: Reader, node: MapNode, what: str) -> None:
        self.reader = reader
        self.node = node
        self.what = what
        self._asked: set[str] = set()

    def __iter__(self) -> Iterator[tuple[str, Node]]:
        return iter(self.node.entries.items())

    @property
    def place(self) -> Place:
        return self.node.place

    def key_place(self, key: str) -> Place:
        """Where the key stands; the mapping itself when it is not there."""
        return self.node.keys.get(key, self.node.place)

    def name(self, key: str) -> str:
        """The key as messages call it, such as `pools.control.count`."""
        return f"{self.what}.{key}" if self.what else key

    def take(self, key: str, *, required: bool = False) -> Node | None:
        """The value of a key; None when it is missing or empty, which is a problem when it is required."""
        self._asked.add(key)
        node = self.node.entries.get(key)
        if node is not None and not (isinstance(node, ScalarNode) and node.value is None):
            return node
        if required:
            self.reader.findings.add(
                "missing-key",
                "a required key is missing",
                self.place if node is None else node.place,
                detail=f"{self.name(key)} is {'not set' if node is None else 'empty'}",
                remedy=f"add `{key}:` here" if node is None else "give it a value",
            )
        return None

    def scalar(self, key: str, kind: type[T], *, required: bool = False) -> T | None:
        """A settled scalar of this type, or None."""
        node = self.take(key, required=required)
        return None if node is None else self.reader.scalar(node, kind, self.name(key))

    def texts(self, key: str) -> tuple[tuple[str, Place], ...]:
        """A settled list of texts with places; empty when it is missing or wrong."""
        node = self.take(key)
        return () if node is None else self.reader.texts(node, self.name(key)) or ()

    def table(self, key: str, *, required: bool = False) -> Fields | None:
        """The mapping under a key, or None."""
        node = self.take(key, required=required)
        return None if node is None else self.reader.table(node, self.name(key))

    def rest(self) -> Mapping[str, Node]:
        """The keys nobody asked for."""
        return {key: node for key, node in self.node.entries.items() if key not in self._asked}

    def finish(self, also: Collection[str] = ()) -> None:
        """Notes every key that was not asked for as unknown."""
        for key in self.rest():
            self.reader.findings.add(
                "unknown-key",
                "there is no such key",
                self.key_place(key),
                detail=f"{self.what or 'the file'} has no key {key!r}",
                remedy=did_you_mean(key, {*self._asked, *also}) or "remove it",
            )


def _is(value: Scalar, kind: type) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is kind


def as_node(value: Value, place: Place) -> Node:
    """A plain value as if it had been written at this place."""
    match value:
        case tuple():
            return ListNode(tuple(as_node(item, place) for item in value), place)
        case Mapping():
            return MapNode(
                {key: as_node(item, place) for key, item in value.items()}, dict.fromkeys(value, place), place
            )
        case None | bool() | int() | float() | str():
            return ScalarNode(value, str(value).lower() if isinstance(value, bool) else str(value), place)
        case _:
            raise AssertionError("a settled value is plain")


def _spoken(node: Node) -> str:
    match node:
        case MapNode():
            return "a mapping"
        case ListNode():
            return "a list"
        case ScalarNode(value=None):
            return "empty"
        case ScalarNode(value=bool()):
            return node.text
        case ScalarNode(value=int() | float()):
            return f"the number {node.text}"
        case ScalarNode():
            return f"the text {node.text!r}" if len(node.text) <= 40 else "a text"


def _remedy(node: Node, wanted: str) -> str:
    match node:
        case ScalarNode(value=bool() | int() | float()) if wanted == "text":
            return f'put quotes around it: "{node.text}"'
        case ScalarNode(value=str()) if wanted == "true or false":
            return "write true or false; yes, no, on and off are text"
        case ScalarNode(value=str(text)) if "number" in wanted and text.lstrip("-").isdigit():
            return f"leave out the quotes: {text}"
        case ScalarNode(value=str(text)) if wanted == "a list":
            return f"put it into brackets: [{text}]" if len(text) <= 40 else "put it into brackets"
        case _ if wanted == "a mapping":
            return "write keys below it, as in `key: value`"
    return f"write {wanted}"
