"""A part of the settings: the keys it takes, and the documents they become.

The settings are a tree as the cluster file has it, all layers merged, with known keys only and every written-out
leaf of its form. Leaves keep their origins; they may also be secrets, references, or unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from attrs import frozen

from provisioner.sdk import Path, Value, strip_origins
from provisioner.talos.settings.shape import Key
from provisioner.talos.versions import Contract

Settings: TypeAlias = Mapping[str, Value]
Document: TypeAlias = Mapping[str, Value]


@frozen
class Target:
    """The node that configuration is made for.

    installs   whether Talos is put on a disk by its configuration, rather than being there already
    """

    contract: Contract
    leads: bool = True
    installs: bool = True


@frozen
class Complaint:
    """Settings that do not go together, or that no configuration of the contract can express.

    path   into the settings; the nearest part that was written is where it is shown
    """

    path: Path
    detail: str
    remedy: str


@frozen
class Section:
    """Some keys at the top of `machine:` that are read together.

    compile   the documents for a node, none twice; a document without a kind is a piece of the root
    judge     what is wrong whatever the release is
    limits    what the contract cannot express beyond what the keys themselves say
    """

    keys: Mapping[str, Key]
    compile: Callable[[Settings, Target], Iterator[Document]]
    judge: Callable[[Settings], Iterator[Complaint]] = lambda settings: iter(())
    limits: Callable[[Settings, Contract], Iterator[Complaint]] = lambda settings, contract: iter(())


def document(kind: str, name: Value = None, **fields: Value) -> dict[str, Value]:
    """A typed document; fields that are None are left out."""
    head: dict[str, Value] = {"apiVersion": "v1alpha1", "kind": kind}
    if name is not None:
        head["name"] = name
    return {**head, **present(**fields)}


def present(**fields: Value) -> dict[str, Value]:
    """The fields that are set: not None, and no mapping without keys. Empty lists count, they say something."""
    return {key: value for key, value in fields.items() if value is not None and value != {}}


def renamed(settings: Settings, names: Mapping[str, str]) -> dict[str, Value]:
    """The given keys under their names in the configuration, in the order of the table."""
    return {name: settings[key] for key, name in names.items() if key in settings}


def table(settings: Settings, key: str) -> Settings:
    """The mapping under a key; empty when it is not there."""
    found = settings.get(key)
    return found if isinstance(found, Mapping) else {}


def tables(settings: Settings, key: str) -> Iterator[tuple[str, Settings]]:
    """The named mappings under a key, in order."""
    for name in table(settings, key):
        yield name, table(table(settings, key), name)


def items(settings: Settings, key: str) -> tuple[Value, ...]:
    """The list under a key; empty when it is not there."""
    found = settings.get(key)
    return found if isinstance(found, tuple) else ()


def rows(settings: Settings, key: str) -> tuple[Settings, ...]:
    """The mappings of the list under a key."""
    return tuple(item for item in items(settings, key) if isinstance(item, Mapping))


def plain(settings: Settings, key: str) -> Value:
    """The value of a key without its origin; None when it is not there."""
    return strip_origins(settings.get(key))


def word(settings: Settings, key: str) -> str:
    """A text that is written out; empty when it is not there, or not known yet."""
    found = plain(settings, key)
    return found if isinstance(found, str) else ""
