"""A provider described from its own classes: settings, pool options, kinds and their fields."""

from __future__ import annotations

import inspect
from typing import Any

from provisioner.model.schema import Field, Schema
from provisioner.plugins.registry import Registry
from provisioner.sdk.provider import Gate, Infrastructure


def describe(registry: Registry, name: str) -> dict[str, Any]:
    """Everything a user can write for a provider, as plain data."""
    provider = registry.provider(name)
    return {
        "name": name,
        "version": registry.version(name),
        "summary": _first_line(type(provider)),
        "settings": _fields(provider.settings),
        "pool_options": _fields(provider.node_options) if isinstance(provider, Infrastructure) else [],
        "kinds": [
            {
                "name": kind_name,
                "summary": _first_line(type(kind)),
                "gate": isinstance(kind, Gate),
                "props": _fields(kind.props),
                "outputs": [field["name"] for field in _fields(kind.outputs)],
            }
            for kind_name, kind in sorted(provider.kinds.items())
        ],
    }


def _fields(cls: type[Any]) -> list[dict[str, Any]]:
    return [_field(field) for field in Schema.of(cls).fields.values()]


def _field(field: Field) -> dict[str, Any]:
    marks = [mark for mark in ("immutable", "birth", "secret") if getattr(field.marks, mark)]
    return {"name": field.name, "required": field.required, "marks": marks}


def _first_line(cls: type[Any]) -> str:
    return (inspect.getdoc(cls) or "").split("\n", 1)[0]
