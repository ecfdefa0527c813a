"""What a file says to a provider, as the frozen class that describes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from provisioner.errors import ProvError
from provisioner.model.schema import Schema
from provisioner.model.value import Value, strip_origins

T = TypeVar("T")


def written(cls: type[T], given: Mapping[str, Value], wrong: Callable[[str], ProvError]) -> T:
    """`given` as `cls`, with its defaults and without the places it came from.

    Where something does not fit, `wrong` makes the error of a field and a sentence about it: "cpus must be a number".
    """
    schema: Any = Schema.of(cls)
    plain = {name: strip_origins(value) for name, value in given.items()}
    for name, sentence in schema.complaints(plain):
        raise wrong(f"{name} {sentence}")
    built: T = schema.build(schema.normal(plain))
    return built
