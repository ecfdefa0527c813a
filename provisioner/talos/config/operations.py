"""JSON patches (RFC 6902), done on a configuration tree.

A patch is a list of operations, done one after the other:

    {op: add, path: /machine/certSANs/-, value: a}      into a mapping, or before an element; `-` is the end
    {op: replace, path: /machine/token, value: t}       what is there already
    {op: remove, path: /machine/sysctls}
    {op: move, from: /machine/a, path: /machine/b}
    {op: copy, from: /machine/a, path: /machine/b}
    {op: test, path: /machine/type, value: worker}      refuses the patch where it does not hold

Paths are JSON pointers (RFC 6901): `~1` stands for a slash in a key and `~0` for a tilde. Trees keep their
references, secrets and origins, so this is no task for a library of plain data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import frozen

from provisioner.sdk import Call, Path, Ref, Secret, Unknown, Value, leaves, strip_origins
from provisioner.talos.config.strategic import Misfit

_NEEDS: Mapping[str, str] = {
    "add": "value",
    "replace": "value",
    "test": "value",
    "move": "from",
    "copy": "from",
    "remove": "",
}
"""What each operation needs beside `op` and `path`."""

_END = "-"

Change = Callable[[Value, str, Path], Value]
"""What becomes of a mapping or list, which stands at a path, at one of its keys; raises Misfit."""


@frozen
class Operation:
    """One operation; `value` and `origin` are empty where it has none."""

    op: str
    path: tuple[str, ...]
    origin: tuple[str, ...] = ()
    value: Value = None


def are_operations(patch: Sequence[Value]) -> bool:
    """Whether a patch consists of operations; a configuration document has neither `op` nor `path`."""
    return any(isinstance(item, Mapping) and {"op", "path"} <= item.keys() for item in patch)


def operation(item: Value) -> Operation:
    """An operation as it is written; raises Misfit, with the key that is wrong as path."""
    if not isinstance(item, Mapping):
        raise Misfit((), "among operations there is something that is none")
    op = _text(item, "op")
    if op not in _NEEDS:
        raise Misfit(("op",), f"the operations are {', '.join(_NEEDS)}")
    need = _NEEDS[op]
    if need and need not in item:
        raise Misfit((), f"{op} needs `{need}`")
    origin = pointer(_text(item, "from"), "from") if need == "from" else ()
    return Operation(op, pointer(_text(item, "path"), "path"), origin, item.get("value"))


def pointer(text: str, key: str) -> tuple[str, ...]:
    """The keys of a JSON pointer; raises Misfit for what is none, and for the whole document."""
    if not text.startswith("/"):
        raise Misfit(
            (key,), "a JSON pointer begins with a slash, as in /machine/sysctls, and leads into the document"
        )
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/"))


def operate(document: Value, operation: Operation) -> Value:
    """The document after the operation; raises Misfit where it does not fit."""
    path, value = operation.path, operation.value
    match operation.op:
        case "add":
            return _at(document, path, _adding(value))
        case "replace":
            return _at(document, path, _replacing(value))
        case "remove":
            return _at(document, path, _without)
        case "copy":
            return _at(document, path, _adding(_found(document, operation.origin)))
        case "move":
            return _moved(document, operation)
        case _:
            _test(_found(document, path), value, path)
            return document


def _moved(document: Value, operation: Operation) -> Value:
    """Out of the old place first: positions in the new one count without it (RFC 6902, section 4.4)."""
    origin, path = operation.origin, operation.path
    if origin == path[: len(origin)] and origin != path:
        raise Misfit(path, "nothing can be moved into itself")
    value = _found(document, origin)
    return _at(_at(document, origin, _without), path, _adding(value))


def _at(value: Value, path: tuple[str, ...], change: Change, above: Path = ()) -> Value:
    first, *rest = path
    if not rest:
        if not isinstance(value, Mapping | tuple):
            raise Misfit((*above, first), "there is a single value above it, and nothing can be below one")
        return change(value, first, above)
    inner = _at(_child(value, first, above), tuple(rest), change, (*above, first))
    if isinstance(value, Mapping):
        return {**value, first: inner}
    assert isinstance(value, tuple)
    index = int(first)
    return (*value[:index], inner, *value[index + 1 :])


def _found(value: Value, path: tuple[str, ...]) -> Value:
    for depth, key in enumerate(path):
        value = _child(value, key, path[:depth])
    return value


def _child(value: Value, key: str, above: Path) -> Value:
    if isinstance(value, Mapping) and key in value:
        return value[key]
    if isinstance(value, tuple):
        return value[_index(key, len(value) - 1, above)]
    raise Misfit((*above, key), "the configuration has nothing at this path")


def _index(key: str, last: int, above: Path) -> int:
    if not (key.isascii() and key.isdigit()) or (len(key) > 1 and key[0] == "0"):
        raise Misfit((*above, key), "an element of a list is named by its number from 0")
    if int(key) > last:
        raise Misfit((*above, key), "the list has no element of this number")
    return int(key)


def _adding(value: Value) -> Change:
    def change(container: Value, key: str, above: Path) -> Value:
        if isinstance(container, Mapping):
            return {**container, key: value}
        assert isinstance(container, tuple)
        index = len(container) if key == _END else _index(key, len(container), above)
        return (*container[:index], value, *container[index:])

    return change


def _replacing(value: Value) -> Change:
    def change(container: Value, key: str, above: Path) -> Value:
        _child(container, key, above)
        if isinstance(container, Mapping):
            return {**container, key: value}
        assert isinstance(container, tuple)
        return (*container[: int(key)], value, *container[int(key) + 1 :])

    return change


def _without(container: Value, key: str, above: Path) -> Value:
    _child(container, key, above)
    if isinstance(container, Mapping):
        return {name: item for name, item in container.items() if name != key}
    assert isinstance(container, tuple)
    return (*container[: int(key)], *container[int(key) + 1 :])


def _test(found: Value, wanted: Value, path: Path) -> None:
    if any(isinstance(leaf, Ref | Call | Unknown) for side in (found, wanted) for _, leaf in leaves(side)):
        raise Misfit(path, "what will be known after apply cannot be tested")
    if _plain(found) != _plain(wanted):
        raise Misfit(path, "the test does not hold: the configuration has another value there")


def _plain(value: Value) -> object:
    """For comparison only: true is not 1, and a secret equals its text."""
    match strip_origins(value):
        case Mapping() as mapping:
            return {key: _plain(item) for key, item in mapping.items()}
        case tuple() as items:
            return [_plain(item) for item in items]
        case Secret() as secret:
            return ("", secret.reveal())
        case bool() as flag:
            return (bool, flag)
        case other:
            return ("", other)


def _text(item: Mapping[str, Value], key: str) -> str:
    text = strip_origins(item.get(key))
    if not isinstance(text, str):
        raise Misfit((key,), f"an operation needs `{key}`, written out as a text")
    return text
