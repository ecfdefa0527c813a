"""JSON Schema of tables."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from provisioner.errors import InputError
from provisioner.plugins.json_schema import table_schema
from provisioner.plugins.registry import Registry

REGISTRY = Registry.installed()


def test_an_editor_learns_what_a_row_has() -> None:
    """Types, what has to be there, and what each field is, in the words of the row's class."""
    mapping, listed = table_schema(REGISTRY, "metal", "inventory")["oneOf"]
    row = mapping["additionalProperties"]
    properties = row["properties"]
    assert (row["required"], listed["items"]["required"]) == (["bmc", "address"], ["name", "bmc", "address"])
    assert row["additionalProperties"] is False
    assert properties["bmc"]["type"] == "string"
    assert properties["bmc"]["description"].startswith("where its management controller answers")
    assert properties["macs"]["anyOf"][0] == {"type": "array", "items": {"type": "string"}}
    assert properties["password"]["anyOf"] == [{"type": "string"}, {"type": "null"}]


def test_every_field_is_described() -> None:
    """A field that its class says nothing of would be one without a hint in the editor."""
    properties = table_schema(REGISTRY, "metal", "inventory")["oneOf"][0]["additionalProperties"]["properties"]
    assert [name for name, shape in properties.items() if not shape.get("description")] == []


def test_any_value_may_be_an_expression() -> None:
    """A switch and a list, too."""
    properties = table_schema(REGISTRY, "metal", "inventory")["oneOf"][0]["additionalProperties"]["properties"]
    expression = {"type": "string", "pattern": r"^\$\{.*\}$"}
    assert all(expression in properties[name]["anyOf"] for name in ("verify", "macs", "labels"))


@pytest.mark.parametrize(
    ("inventory", "fine"),
    [
        (
            {
                "one": {
                    "bmc": "ipmi://b",
                    "address": "10.1.0.1",
                    "labels": {"gpu": "yes"},
                    "facts": {"memory_gib": 64},
                }
            },
            True,
        ),
        ([{"name": "one", "bmc": "ipmi://b", "address": "10.1.0.1", "verify": "${var.verify}"}], True),
        ({"one": {"bmc": "ipmi://b"}}, False),
        ({"one": {"bmc": "ipmi://b", "address": "10.1.0.1", "labls": {}}}, False),
        ([{"bmc": "ipmi://b", "address": "10.1.0.1"}], False),
    ],
)
def test_it_is_a_schema_by_which_inventories_are_judged(inventory: Any, fine: bool) -> None:
    """Read by a validator that is not ours."""
    schema = table_schema(REGISTRY, "metal", "inventory")
    jsonschema.Draft202012Validator.check_schema(schema)
    assert jsonschema.Draft202012Validator(schema).is_valid(inventory) is fine


@pytest.mark.parametrize(("provider", "table", "hint"), [("metal", "inventery", "inventory"), ("sim", "hosts", "")])
def test_a_table_that_is_none_is_told(provider: str, table: str, hint: str) -> None:
    """With the names of those there are."""
    with pytest.raises(InputError) as caught:
        table_schema(REGISTRY, provider, table)
    assert hint in caught.value.remedy
