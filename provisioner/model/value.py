"""Values that may hold references, secrets and things not known yet, each marked on the leaf concerned.

A configuration document is an ordinary tree of mappings, tuples and scalars. Four leaves are special:

    Secret   a value that never prints; Sealed is one that could not even be opened
    Ref      the output of another resource
    Call     a registered pure function over values
    Unknown  will be known after apply
    Sourced  a value with the file and line that set it

`evaluate` resolves what can be resolved and leaves the rest unknown, leaf by leaf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias, Union

from attrs import field, frozen

from provisioner.errors import KeyMissing
from provisioner.model.address import Address

Scalar: TypeAlias = bool | int | float | str | None
Value: TypeAlias = Union[
    Scalar, "Secret", "Ref", "Call", "Unknown", "Sourced", tuple["Value", ...], Mapping[str, "Value"]
]
Path: TypeAlias = tuple[str | int, ...]

Function: TypeAlias = Callable[..., Any]
"""A pure function of plain (revealed) values; raises ValueError with a sentence when it cannot."""


@frozen(repr=False)
class Secret:
    """A scalar that never prints. Few places call `reveal`, and they are found by searching for it."""

    _value: Scalar

    def reveal(self) -> Scalar:
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


class StaysSealed(KeyMissing, ValueError):
    """A sealed value is needed in the clear, and there is no identity to open it with."""


@frozen(repr=False, eq=False)
class Sealed(Secret):
    """A secret of a state that is read without an identity: there is one, and that is all that is known.

    It is like no other value, nor unlike it: whoever compares leaves it out.
    """

    _value: Scalar = field(init=False, default=None)

    def reveal(self) -> Scalar:
        """Raises StaysSealed."""
        raise StaysSealed(
            "there is no age identity to open the state's secrets with",
            detail="the state is sealed, and this cannot be done without what is in it",
            remedy="set PROV_AGE_KEY or PROV_AGE_KEY_FILE to an identity it is sealed for",
        )

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return "Sealed(***)"

    __str__ = __repr__


@frozen
class Ref:
    """The output `output` of the resource `to`; dots lead into mappings, as in `certs.os.crt`."""

    to: Address
    output: str


@frozen
class Call:
    """`fn`, a registered pure function, applied to `args`."""

    fn: str
    args: tuple[Value, ...]


@frozen
class Unknown:
    """Known after apply. `why` names what it waits for."""

    why: str = field(default="", eq=False)


@frozen
class Origin:
    """The place a value was written."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@frozen
class Sourced:
    """A scalar or secret and where it was written."""

    value: Scalar | Secret
    origin: Origin


def freeze(raw: Any) -> Value:
    """A plain Python tree (lists, dicts) as a Value; anything that is no Value raises TypeError."""
    if isinstance(raw, Mapping):
        return {str(key): freeze(item) for key, item in raw.items()}
    if isinstance(raw, list | tuple):
        return tuple(freeze(item) for item in raw)
    if raw is None or isinstance(raw, bool | int | float | str | Secret | Ref | Call | Unknown | Sourced):
        return raw
    raise TypeError(f"a {type(raw).__name__} is not a value")


def reveal(value: Value) -> Any:
    """The plain tree with secrets opened and tuples as lists, ready for an encoder; it must be known."""
    match value:
        case Secret():
            return value.reveal()
        case Sourced():
            return reveal(value.value)
        case Mapping():
            return {key: reveal(item) for key, item in value.items()}
        case tuple():
            return [reveal(item) for item in value]
        case Ref() | Call() | Unknown():
            raise ValueError(f"not known yet: {value}")
        case _:
            return value


def leaves(value: Value, path: Path = ()) -> Iterator[tuple[Path, Value]]:
    """Every leaf with its path; empty mappings and tuples count as leaves."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, tuple) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


def refs(value: Value) -> Iterator[Ref]:
    """Every reference inside, also inside calls."""
    match value:
        case Ref():
            yield value
        case Call():
            for arg in value.args:
                yield from refs(arg)
        case Mapping():
            for item in value.values():
                yield from refs(item)
        case tuple():
            for item in value:
                yield from refs(item)
        case _:
            return


def replace_refs(value: Value, change: Callable[[Ref], Value]) -> Value:
    """The same tree with every reference, also inside calls, put through `change`."""
    match value:
        case Ref():
            return change(value)
        case Call():
            return Call(value.fn, tuple(replace_refs(arg, change) for arg in value.args))
        case Mapping():
            return {key: replace_refs(item, change) for key, item in value.items()}
        case tuple():
            return tuple(replace_refs(item, change) for item in value)
        case _:
            return value


def is_known(value: Value) -> bool:
    """Whether nothing inside is unknown, a reference, a call or sealed."""
    return not any(isinstance(leaf, Unknown | Ref | Call | Sealed) for _, leaf in leaves(value))


def has_sealed(value: Value) -> bool:
    """Whether something inside could not be opened."""
    return any(isinstance(leaf, Sealed) for _, leaf in leaves(value))


def has_secret(value: Value) -> bool:
    """Whether a secret is inside."""
    if isinstance(value, Mapping):
        return any(map(has_secret, value.values()))
    if isinstance(value, tuple):
        return any(map(has_secret, value))
    return isinstance(value.value if isinstance(value, Sourced) else value, Secret)


def conceal(value: Value) -> Value:
    """The same tree with every known leaf secret."""
    match value:
        case Mapping():
            return {key: conceal(item) for key, item in value.items()}
        case tuple():
            return tuple(conceal(item) for item in value)
        case Secret() | Ref() | Call() | Unknown():
            return value
        case Sourced():
            return Sourced(value.value if isinstance(value.value, Secret) else Secret(value.value), value.origin)
        case _:
            return Secret(value)


def strip_origins(value: Value) -> Value:
    """The same tree without the places its leaves came from, as calls and the state want it."""
    match value:
        case Sourced():
            return value.value
        case Mapping():
            return {key: strip_origins(item) for key, item in value.items()}
        case tuple():
            return tuple(strip_origins(item) for item in value)
        case _:
            return value


def evaluate(value: Value, lookup: Callable[[Ref], Value], functions: Mapping[str, Function]) -> Value:
    """Resolves references and calls as far as they are known.

    `lookup` answers a reference with a value, or with `Unknown`. A call with anything unknown among its
    arguments is unknown as a whole, with anything sealed it is sealed as a whole; one that saw a secret gives
    secrets. Raises ValueError where a known call cannot be done.
    """
    match value:
        case Ref():
            return lookup(value)
        case Call():
            args = tuple(evaluate(arg, lookup, functions) for arg in value.args)
            waiting = next((leaf for arg in args for _, leaf in leaves(arg) if isinstance(leaf, Unknown)), None)
            if waiting is not None:
                return waiting
            if any(map(has_sealed, args)):
                return Sealed()
            secret = any(has_secret(arg) for arg in args)
            try:
                result = freeze(functions[value.fn](*(reveal(arg) for arg in args)))
            except ValueError:
                if secret:  # the sentence may quote what it could not use
                    raise ValueError(f"{value.fn} cannot use the secret values given") from None
                raise
            return conceal(result) if secret else result
        case Mapping():
            return {key: evaluate(item, lookup, functions) for key, item in value.items()}
        case tuple():
            return tuple(evaluate(item, lookup, functions) for item in value)
        case _:
            return value


def dig(value: Value, dotted: str) -> Value:
    """Follows `a.b.c` into mappings; raises KeyError with the part that is missing."""
    for part in dotted.split("."):
        if isinstance(value, Unknown | Sealed):
            return value
        if not isinstance(value, Mapping) or part not in value:
            raise KeyError(part)
        value = value[part]
    return value
