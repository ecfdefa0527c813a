"""The form of settings: which keys there are, and what stands below each.

    Leaf    a single value of some form
    Table   a mapping with the keys given here
    Named   a mapping by names that the user chooses, one form below each
    Many    a list, one form for each item

Each key says in a sentence what it means, and what it asks of the release; the reference page is made from that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from attrs import frozen

from provisioner.talos.versions import Contract

Plain: TypeAlias = bool | int | float | str
"""What a leaf is when it is written out."""


@frozen
class Form:
    """What a single value must be.

    kinds    the types it may have, the first one being meant
    said     what it is called, as in "an address"
    fits     whether a value of the type will do
    remedy   what to write instead of one that will not
    becomes  the value as the configuration has it
    shown    whether messages may quote it
    """

    kinds: tuple[type, ...]
    said: str
    fits: Callable[[Plain], bool] = lambda value: True
    remedy: Callable[[Plain], str] = lambda value: ""
    becomes: Callable[[Plain], Plain] = lambda value: value
    shown: bool = True


@frozen
class Leaf:
    """A single value; a `fixed` one must be written out, because something is named after it."""

    form: Form
    fixed: bool = False


@frozen
class Key:
    """One key of a table.

    required  whether an entry is incomplete without it, all layers together
    leads     whether it is for control planes only: a worker that gets it with all nodes does without
    needs     the question the cluster's contract must answer with yes
    instead   what to do where it says no; otherwise a newer release is recommended
    """

    shape: Shape
    about: str
    required: bool = False
    leads: bool = False
    needs: Callable[[Contract], bool] | None = None
    instead: str = ""


@frozen
class Table:
    """A mapping with known keys; a single value in its place stands for its key `short`.

    A `whole` one is replaced by a later layer, never merged into.
    """

    keys: Mapping[str, Key]
    short: str = ""
    whole: bool = False


@frozen
class Named:
    """A mapping by the user's names, each of which must be as `name` says."""

    name: Leaf
    item: Shape


@frozen
class Many:
    """A list."""

    item: Shape


Shape: TypeAlias = Leaf | Table | Named | Many
