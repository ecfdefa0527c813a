"""Two values, leaf by leaf."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from provisioner.model.schema import Schema
from provisioner.model.step import ABSENT, FieldChange
from provisioner.model.value import (
    Origin,
    Path,
    Sealed,
    Secret,
    Sourced,
    Unknown,
    Value,
    has_sealed,
    has_secret,
    is_known,
    reveal,
)
from provisioner.planner.ignored import Ignored

_PLAIN = frozenset({str, int, bool, float, type(None)})


def differences(before: Value, after: Value, path: Path = ()) -> Iterator[FieldChange]:
    """The leaves in which `after` differs from `before`.

    What is unknown differs: it may turn out equal, and a plan says what may happen. If either side of a leaf
    is secret, both are given as secrets. What is sealed differs from nothing.
    """
    if isinstance(before, Sealed) or isinstance(after, Sealed):
        return  # not compared: it could not be opened
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from differences(before.get(key, ABSENT), after.get(key, ABSENT), (*path, key))
    elif isinstance(before, tuple) and isinstance(after, tuple):
        for index in range(max(len(before), len(after))):
            old = before[index] if index < len(before) else ABSENT
            new = after[index] if index < len(after) else ABSENT
            yield from differences(old, new, (*path, index))
    elif isinstance(after, Mapping) and after and before == ABSENT:
        for key, item in after.items():
            yield from differences(ABSENT, item, (*path, key))
    elif isinstance(before, Mapping) and before and after == ABSENT:
        for key, item in before.items():
            yield from differences(item, ABSENT, (*path, key))
    else:
        yield from _leaf(before, after, path)


def changes(
    schema: Schema, before: Mapping[str, Value], after: Mapping[str, Value], ignored: Ignored = Ignored()
) -> list[FieldChange]:
    """The leaves in which the props `after` differ from `before`, as the kind and the file want them compared.

    Properties of birth never differ, nor what the remote takes for equal, nor what is ignored.
    """
    found: list[FieldChange] = []
    for name, new in after.items():
        old = before.get(name)
        if old.__class__ is new.__class__ and old.__class__ in _PLAIN and old == new:
            continue
        marks = schema.fields[name].marks
        if marks.birth or (marks.same_as is not None and _same(marks.same_as, old, new)):
            continue
        if marks.named_by is not None:
            old, new = _by_name(marks.named_by, old), _by_name(marks.named_by, new)
        found += differences(old, new, (name,))
    return [change for change in found if not ignored.covers(change.path)] if found and ignored else found


def shut(before: Mapping[str, Value], after: Mapping[str, Value]) -> bool:
    """Whether anything in the props `after`, or what they are compared with, could not be opened."""
    pairs = ((before.get(name), value) for name, value in after.items())
    return any(has_sealed(value) for pair in pairs for value in pair if value.__class__ not in _PLAIN and value != {})


def differ(schema: Schema, before: Mapping[str, Value], after: Mapping[str, Value]) -> bool:
    """Whether props differ in anything that is compared."""
    return bool(changes(schema, before, after))


def _same(same_as: Callable[[Any], Value], before: Value, after: Value) -> bool:
    """Whether the remote takes two values for equal; what the kind cannot normalise is compared as it is."""
    if before is None or after is None or not (is_known(before) and is_known(after)):
        return False
    try:
        return same_as(reveal(before)) == same_as(reveal(after))
    except (TypeError, ValueError, LookupError, AttributeError):
        return False


def _by_name(name_of: Callable[[Value], str | int], value: Value) -> Value:
    """A list by the names of its elements; as it is where that is not clear."""
    if not isinstance(value, tuple):
        return value
    named: Mapping[Any, Value] = {name_of(item): item for item in value}
    return named if len(named) == len(value) else value


def _leaf(before: Value, after: Value, path: Path) -> Iterator[FieldChange]:
    old, _ = _bare(before)
    new, origin = _bare(after)
    secret = ABSENT not in (old, new) and (has_secret(old) or has_secret(new))
    left = old.reveal() if isinstance(old, Secret) else old
    right = new.reveal() if isinstance(new, Secret) else new
    if not isinstance(right, Unknown) and left == right and isinstance(left, bool) == isinstance(right, bool):
        return
    if secret:
        yield FieldChange(path, _hidden(old), _hidden(new), origin)
    else:
        yield FieldChange(path, old, new, origin)


def _bare(value: Value) -> tuple[Value, Origin | None]:
    return (value.value, value.origin) if isinstance(value, Sourced) else (value, None)


def _hidden(value: Value) -> Value:
    if isinstance(value, Secret | Unknown) or value == ABSENT:
        return value
    return Secret(None) if isinstance(value, Mapping | tuple) else Secret(value)  # type: ignore[arg-type]
