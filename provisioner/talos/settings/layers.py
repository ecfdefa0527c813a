"""Settings over settings: those for all nodes, then those of a pool, then those of a node.

mapping          key by key
table as whole   replaced: its keys exclude each other, or mean something together only
list, leaf       replaced
"""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.sdk import Value
from provisioner.talos.settings.shape import Named, Shape, Table


def over(shape: Shape, under: Value, value: Value) -> Value:
    """What there is where `value` is put over `under`, both of this shape."""
    if not isinstance(under, Mapping) or not isinstance(value, Mapping):
        return value
    match shape:
        case Table(whole=False):
            below: Mapping[str, Shape] = {name: key.shape for name, key in shape.keys.items()}
        case Named():
            below = dict.fromkeys(value, shape.item)
        case _:
            return value
    return {
        **under,
        **{key: over(below[key], under[key], item) if key in under else item for key, item in value.items()},
    }
