"""A value on record: what was given comes out again, and nobody is asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from provisioner.core.provider import provider
from provisioner.core.value import ValueKind, ValueOutputs, ValueProps
from provisioner.engine.context import CallContext
from provisioner.engine.tasks import Tasks
from provisioner.sdk import Absent, Address, Context, Done, Job, Provider, Schema, Secret, Seen

KIND = ValueKind()
TREE = {"a": (1, 2), "password": Secret("hunter2")}


@pytest.fixture
def ctx() -> Context:
    return CallContext(
        lambda: datetime(2026, 1, 1, tzinfo=UTC), lambda note: None, lambda: False, Tasks(lambda work: work())
    )


def _job(wanted: ValueProps | None = None, outputs: ValueOutputs | None = None) -> Job[Any, Any]:
    applied = None if outputs is None else ValueProps(value=outputs.value)
    return Job("k", 1, Address("core.value", "a"), wanted=wanted, applied=applied, outputs=outputs)


def test_what_is_given_comes_out_under_an_id_of_its_own(ctx: Context) -> None:
    """The id is the key, so a repeated call makes the same object; secrets stay secrets."""
    job = _job(ValueProps(value=TREE))

    assert Done(ValueOutputs(id="k", value=TREE)) == KIND.create(None, job, ctx)
    assert isinstance(Schema.of(ValueOutputs).dump(ValueOutputs("k", TREE))["value"]["password"], Secret)


def test_another_value_comes_in_place_under_the_same_id(ctx: Context) -> None:
    job = _job(ValueProps(value="new"), ValueOutputs(id="k", value="old"))

    assert Done(ValueOutputs(id="k", value="new")) == KIND.update(None, job, ctx)


def test_what_is_on_record_is_what_is_there(ctx: Context) -> None:
    standing = _job(outputs=ValueOutputs(id="k", value=TREE))

    assert KIND.read(None, [standing], ctx) == {"k": Seen({"value": TREE, "replace_when": None})}
    assert KIND.read(None, [_job()], ctx) == {"k": Absent()}
    assert Done(None) == KIND.delete(None, standing, ctx)


def test_a_new_trigger_is_a_new_object_and_a_new_value_is_not() -> None:
    fields = Schema.of(ValueProps).fields

    assert {name: item.marks.immutable for name, item in fields.items()} == {"value": False, "replace_when": True}


def test_any_value_will_do() -> None:
    for value in (None, True, 1, 1.5, "text", (1, 2), {"a": {"b": ()}}, Secret("x")):
        assert list(Schema.of(ValueProps).complaints({"value": value, "replace_when": value})) == []


def test_it_is_a_provider() -> None:
    assert isinstance(provider, Provider)
    assert {item.partition(".")[0] for item in provider.kinds} == {provider.name}
