"""What a kind says about its properties and outputs.

A kind's props and outputs are frozen attrs classes. `prop()` and `output()` declare what the planner must
know of a field; `Schema.of` reads it back out.
"""

from __future__ import annotations

import hashlib
import json
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
from attrs import frozen

from provisioner.model.value import (
    Sealed,
    Secret,
    Sourced,
    Unknown,
    Value,
    conceal,
    has_secret,
    reveal,
    strip_origins,
)

_MARKS = "prov"


def prop(
    *,
    immutable: bool = False,
    birth: bool = False,
    secret: bool = False,
    readable: bool = True,
    same_as: Callable[[Any], Value] | None = None,
    named_by: Callable[[Value], str | int] | None = None,
    default: Any = attrs.NOTHING,
) -> Any:
    """Declares a property.

    immutable  a change means replacement
    birth      used at creation and never compared; a difference is a note
    secret     never prints; sealed in the state
    readable   whether `read` reports it; if not, drift cannot be seen and the recorded value is compared
    same_as    a pure function that gives equal results for values the remote takes for equal, such as `str.lower`
               of a host name; known values are compared by it, never shown by it
    named_by   a pure function that gives each element of a list its name: elements are compared with those of
               the same name, whatever their order, and the name stands in the path of a change
    """
    marks = FieldMarks(
        immutable=immutable, birth=birth, secret=secret, readable=readable, same_as=same_as, named_by=named_by
    )
    return attrs.field(default=default, metadata={_MARKS: marks})


def output(*, secret: bool = False, volatile: bool = False, default: Any = attrs.NOTHING) -> Any:
    """Declares an output; a volatile one may change when the resource is updated in place."""
    return attrs.field(default=default, metadata={_MARKS: FieldMarks(secret=secret, volatile=volatile)})


@frozen
class FieldMarks:
    """The marks of one field."""

    immutable: bool = False
    birth: bool = False
    secret: bool = False
    readable: bool = True
    same_as: Callable[[Any], Value] | None = None
    named_by: Callable[[Value], str | int] | None = None
    volatile: bool = False


@frozen
class Field:
    """One declared property or output; `plain` are classes whose values fit it without a closer look."""

    name: str
    marks: FieldMarks
    required: bool
    type: Any
    plain: frozenset[type] = frozenset()


@frozen
class Schema:
    """The fields of a props or outputs class, by name, in declared order."""

    cls: type[Any]
    fields: Mapping[str, Field]
    defaults: Mapping[str, Callable[[], Value]]
    """What makes the default of each field that need not be given."""
    birth: tuple[str, ...]
    """Names of the fields that are used at birth only."""

    @classmethod
    def of(cls, target: type[Any]) -> Schema:
        """The schema of a frozen attrs class; results are remembered."""
        known = _SCHEMAS.get(target)
        if known is None:
            hints = typing.get_type_hints(target)
            items = attrs.fields(target)
            fields = {item.name: _field(item, hints[item.name]) for item in items}
            defaults = {item.name: _default(item) for item in items if item.default is not attrs.NOTHING}
            birth = tuple(name for name, field in fields.items() if field.marks.birth)
            known = _SCHEMAS[target] = cls(target, fields, defaults, birth)
        return known

    def normal(self, props: Mapping[str, Value]) -> dict[str, Value]:
        """Props in declared order, with defaults filled in and secret fields concealed."""
        filled: dict[str, Value] = {}
        for name, item in self.fields.items():
            if name in props:
                value = props[name]
                filled[name] = conceal(value) if item.marks.secret and value is not None else value
            elif name in self.defaults:
                filled[name] = self.defaults[name]()
        return filled

    def complaints(self, props: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
        """What is wrong with props as (field, sentence); unknown and sealed leaves get the benefit of the doubt."""
        for name in props:
            if name not in self.fields:
                yield name, "is not a property of this kind"
        for name, item in self.fields.items():
            if name not in props:
                if item.required:
                    yield name, "is required"
            elif props[name].__class__ not in item.plain and not _fits(props[name], item.type):
                yield name, f"must be {_spoken(item.type)}"

    def recorded(self, props: Mapping[str, Value]) -> dict[str, Value]:
        """Props as the state keeps them once they are applied: of a secret used at birth only its digest."""
        return {
            name: _digest(value) if self.fields[name].marks.birth and has_secret(value) else value
            for name, value in props.items()
        }

    def build(self, props: Mapping[str, Value]) -> Any:
        """An instance of the class from known props; secret leaves stay `Secret`.

        What an older release recorded and this one does not know is left out.
        """
        return self.cls(**{name: strip_origins(value) for name, value in props.items() if name in self.fields})

    def dump(self, instance: Any) -> dict[str, Value]:
        """The fields of an instance as a mapping, secret fields concealed."""
        return self.normal({name: getattr(instance, name) for name in self.fields})


_SCHEMAS: dict[type[Any], Schema] = {}


def _field(item: attrs.Attribute[Any], declared: Any) -> Field:
    options = typing.get_args(declared) if isinstance(declared, types.UnionType) else (declared,)
    plain = frozenset(option for option in options if option in (str, int, bool, float, types.NoneType))
    return Field(item.name, item.metadata.get(_MARKS, FieldMarks()), item.default is attrs.NOTHING, declared, plain)


def _default(item: attrs.Attribute[Any]) -> Callable[[], Value]:
    default: Any = item.default
    return default.factory if isinstance(default, attrs.Factory) else lambda: default  # type: ignore[arg-type]


def _digest(value: Value) -> str:
    text = json.dumps(reveal(value), sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _fits(value: Value, declared: Any) -> bool:
    value = value.value if isinstance(value, Sourced) else value
    value = value.reveal() if isinstance(value, Secret) and not isinstance(value, Sealed) else value
    if isinstance(value, Unknown | Sealed) or declared in (Any, typing.Any):
        return True
    options = (
        typing.get_args(declared) if typing.get_origin(declared) in (typing.Union, types.UnionType) else (declared,)
    )
    return any(_fits_one(value, option) for option in options)


def _fits_one(value: Value, option: Any) -> bool:
    origin = typing.get_origin(option) or option
    if origin is type(None) or option is None:
        return value is None
    if origin is Secret:
        return isinstance(value, str)
    if origin in (int, float):
        return (isinstance(value, int) and not isinstance(value, bool)) or (
            origin is float and isinstance(value, float)
        )
    if origin is Mapping or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return isinstance(value, Mapping)
    return isinstance(value, origin) if isinstance(origin, type) else True


_SPOKEN = {str: "text", int: "a whole number", float: "a number", bool: "true or false", tuple: "a list"}


def _spoken(declared: Any) -> str:
    origin = typing.get_origin(declared)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_spoken(option) for option in typing.get_args(declared) if option is not type(None))
    return _SPOKEN.get(origin or declared, "text" if declared is Secret else "a mapping")
