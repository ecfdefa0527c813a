"""JSON Schema of the tables that providers read, so that editors check an inventory while it is written.

What a schema cannot say, such as that a BMC's address is one, `prov validate` tells. Any value may be an expression.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Mapping
from typing import Any

from provisioner.errors import InputError, Problem, did_you_mean
from provisioner.model.schema import Field, Schema
from provisioner.model.value import Secret
from provisioner.plugins.registry import Registry
from provisioner.sdk.provider import ReadsTables

_EXPRESSION = {"type": "string", "pattern": r"^\$\{.*\}$"}
_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", types.NoneType: "null", Secret: "string"}
_ENTRY = re.compile(r"(?P<one>[a-z_]+)(?:  +(?P<text>\S.*))?$|(?P<more>[a-z_]+(?:, [a-z_]+)+)(?: +(?P<texts>\S.*))?$")


def table_schema(registry: Registry, provider: str, table: str) -> dict[str, Any]:
    """The schema of a table in YAML or JSON; raises InputError for a table that the provider has not."""
    found = registry.provider(provider)
    tables = found.tables if isinstance(found, ReadsTables) else {}
    if table not in tables:
        raise InputError(
            [
                Problem(
                    "table-unknown",
                    "a provider has no such table",
                    detail=f"{provider} has {', '.join(sorted(tables)) or 'none'}",
                    remedy=did_you_mean(table, tables),
                )
            ]
        )
    row = tables[table]
    fields = Schema.of(row).fields
    texts = _texts(inspect.getdoc(row) or "")
    properties = {name: _property(field, texts.get(name, "")) for name, field in fields.items()}
    required = [name for name, field in fields.items() if field.required]
    named = {"name": {"type": "string", "description": "what the row is called"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{table} of the provider {provider}",
        "oneOf": [
            {"type": "object", "additionalProperties": _row(properties, required)},
            {"type": "array", "items": _row(named | properties, ["name", *required])},
        ],
    }


def _row(properties: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": required,
        "additionalProperties": False,
    }


def _property(field: Field, text: str) -> dict[str, Any]:
    """A field, by its type. A number or a list may be an expression, which is a text."""
    kinds = [_kind(option) for option in _options(field.type)]
    if not any(kind.get("type") == "string" for kind in kinds):
        kinds.append(_EXPRESSION)
    shape = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    return shape | ({"description": text} if text else {})


def _options(declared: Any) -> tuple[Any, ...]:
    union = typing.get_origin(declared) in (typing.Union, types.UnionType)
    return typing.get_args(declared) if union else (declared,)


def _kind(declared: Any) -> dict[str, Any]:
    origin = typing.get_origin(declared) or declared
    if origin in _PLAIN:
        return {"type": _PLAIN[origin]}
    if origin is tuple:
        item = typing.get_args(declared)[:1]
        return {"type": "array", "items": _kind(item[0]) if item else {}}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object"}
    return {}


def _texts(doc: str) -> dict[str, str]:
    """What a docstring says of fields: lines of names, two spaces and a text that may go on further in."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in doc.splitlines():
        entry = _ENTRY.match(line)
        if entry and not line.startswith(" "):
            names = (entry["one"] or entry["more"]).split(", ")
            found |= dict.fromkeys(names, entry["text"] or entry["texts"] or "")
        elif line.startswith(" ") and names:
            found |= {name: f"{found[name]} {line.strip()}".strip() for name in names}
        else:
            names = []
    return found
