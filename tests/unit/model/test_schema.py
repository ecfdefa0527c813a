"""What a kind says about its fields, read back and applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from attrs import field, frozen

from provisioner.model.address import Address
from provisioner.model.schema import Schema, output, prop
from provisioner.model.value import Origin, Ref, Secret, Sourced, Unknown, Value


@frozen
class Props:
    name: str = prop(immutable=True)
    size: int = prop(default=1)
    ratio: float = 0.5
    on: bool = False
    tags: tuple[str, ...] = ()
    parts: Mapping[str, Any] = field(factory=dict)
    image: str | None = prop(birth=True, default=None)
    data: Secret | None = prop(birth=True, secret=True, readable=False, default=None)  # noqa: RUF009
    token: Secret | None = prop(secret=True, default=None)  # noqa: RUF009


@frozen
class Outputs:
    id: str = output()
    revision: int = output(volatile=True)
    password: str = output(secret=True)


SCHEMA = Schema.of(Props)


def test_marks_are_read_back_by_field() -> None:
    assert SCHEMA.fields["name"].marks.immutable
    assert SCHEMA.fields["image"].marks.birth
    assert SCHEMA.fields["token"].marks.secret
    assert not SCHEMA.fields["data"].marks.readable
    assert Schema.of(Outputs).fields["revision"].marks.volatile
    assert [item.name for item in SCHEMA.fields.values() if item.required] == ["name"]


def test_normal_props_are_complete_in_declared_order_and_secret_where_declared() -> None:
    normal = SCHEMA.normal({"token": "hunter2", "name": "a"})
    expected = {
        "name": "a",
        "size": 1,
        "ratio": 0.5,
        "on": False,
        "tags": (),
        "parts": {},
        "image": None,
        "data": None,
        "token": Secret("hunter2"),
    }
    assert expected == normal
    assert list(expected) == list(normal)


def test_defaults_are_not_shared() -> None:
    first, second = SCHEMA.normal({"name": "a"}), SCHEMA.normal({"name": "b"})
    assert first["parts"] is not second["parts"]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("name", 3, "must be text"),
        ("size", "3", "must be a whole number"),
        ("size", True, "must be a whole number"),
        ("size", 1.5, "must be a whole number"),
        ("ratio", "half", "must be a number"),
        ("on", "yes", "must be true or false"),
        ("on", 1, "must be true or false"),
        ("tags", "x", "must be a list"),
        ("parts", ("x",), "must be a mapping"),
        ("image", 3, "must be text"),
        ("token", 3, "must be text"),
        ("name", Sourced(3, Origin("f", 1)), "must be text"),
        ("colour", "red", "is not a property of this kind"),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(name: str, value: Value, sentence: str) -> None:
    assert [(name, sentence)] == list(SCHEMA.complaints({"name": "a", name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", Secret("a")),
        ("name", Sourced(Secret("a"), Origin("f", 1))),
        ("name", Unknown()),
        ("ratio", 1),
        ("image", None),
        ("token", "plain"),
        ("token", Secret("x")),
        ("parts", {"a": Unknown()}),
        ("size", Unknown("a")),
    ],
)
def test_what_fits_or_is_not_known_yet_is_taken(name: str, value: Value) -> None:
    assert list(SCHEMA.complaints({"name": "a", name: value})) == []


def test_what_is_required_is_asked_for() -> None:
    assert list(SCHEMA.complaints({})) == [("name", "is required")]


def test_of_a_secret_used_at_birth_only_a_digest_is_kept() -> None:
    kept = SCHEMA.recorded({"name": "a", "data": Secret("hunter2"), "token": Secret("x"), "image": "i"})
    assert {"name": "a", "token": Secret("x"), "image": "i"} == {n: v for n, v in kept.items() if n != "data"}
    assert isinstance(kept["data"], str)
    assert kept["data"].startswith("sha256:")
    assert "hunter2" not in kept["data"]


def test_equal_secrets_have_equal_digests_and_others_have_not() -> None:
    first, again, other = (SCHEMA.recorded({"data": Secret(text)})["data"] for text in ("x", "x", "y"))
    assert first == again
    assert first != other


def test_building_takes_origins_off_and_leaves_secrets_closed() -> None:
    built = SCHEMA.build({"name": Sourced("a", Origin("f", 1)), "token": Sourced(Secret("x"), Origin("f", 2))})
    assert Props(name="a", token=Secret("x")) == built


def test_dumping_conceals_secret_outputs() -> None:
    dumped = Schema.of(Outputs).dump(Outputs("1", 2, "hunter2"))
    assert {"id": "1", "revision": 2, "password": Secret("hunter2")} == dumped


def test_a_reference_under_a_secret_field_stays_a_reference() -> None:
    ref = Ref(Address("toy.thing", "a"), "password")
    assert ref == SCHEMA.normal({"name": "a", "token": ref})["token"]
