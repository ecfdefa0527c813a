"""A configuration document with a kind, as opposed to the root document, which has none."""

from __future__ import annotations

from provisioner.sdk import Value

Document = dict[str, Value]


def typed(kind: str, **fields: Value) -> Document:
    """A document of this kind, its identity first; every kind so far has the version `v1alpha1`."""
    return {"apiVersion": "v1alpha1", "kind": kind, **fields}
