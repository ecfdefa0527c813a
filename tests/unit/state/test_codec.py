"""Values as JSON: what goes in comes out, and nothing a user can write is mistaken for a mark."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes.sealing import PlainSeal
from hypothesis import given
from hypothesis import strategies as st

from provisioner.errors import StateError
from provisioner.model.address import Address
from provisioner.model.value import Call, Origin, Ref, Secret, Sourced, Unknown, Value
from provisioner.state.codec import decode, dumps, encode

SEAL = PlainSeal()
A = Address("toy.thing", "a")
HERE = Origin("cluster.yaml", 3)


def _again(value: Value) -> Value:
    return decode(json.loads(dumps(encode(value, SEAL, "k"))), SEAL, "k")


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        1,
        1.5,
        "text ✓",
        (),
        {},
        {"a": ({"b": ()},)},
        Secret("hunter2"),
        Secret(7),
        Secret(None),
        Ref(A, "certs.os.crt"),
        Call("concat", ("x", Ref(A, "id"), (Secret("y"),))),
        Unknown("waits"),
        Sourced("x", HERE),
        Sourced(Secret("x"), HERE),
        {"$secret": "not a secret of ours"},
        {"$secret": "x", "other": 1},
        {"$$ref": ["a", "b"][0]},
        {"$": 1},
        {"$$": 1, "$$$": 2},
    ],
    ids=repr,
)
def test_a_value_comes_back_as_it_was(value: Value) -> None:
    assert value == _again(value)


_LEAF = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.builds(Secret, st.text())
)
_KEY = st.text(st.characters(codec="utf-8") | st.sampled_from("$"), max_size=5)
_VALUE = st.recursive(
    _LEAF, lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(_KEY, inner, max_size=3)
)


@given(_VALUE)
def test_any_value_comes_back_as_it_was(value: Value) -> None:
    assert value == _again(value)


def test_a_secret_is_sealed_for_what_it_belongs_to() -> None:
    with pytest.raises(StateError):
        decode(encode(Secret("x"), SEAL, "one"), SEAL, "other")


def test_the_mark_of_truth_survives() -> None:
    assert _again({"a": True, "b": 1}) == {"a": True, "b": 1}
    assert isinstance(_again(Secret(True)).reveal(), bool)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "raw",
    [
        {"$strange": 1},
        {"$secret": 3},
        {"$ref": ["toy.thing/a"]},
        {"$ref": ["no address", "id"]},
        {"$call": []},
        {"$unknown": None},
        {"$from": ["x", "f"]},
        {"$from": [[1], "f", 3]},
        [{"a": {"$strange": 1}}],
    ],
    ids=repr,
)
def test_what_is_never_written_is_refused(raw: Any) -> None:
    with pytest.raises(StateError):
        decode(raw, SEAL, "k")


def test_text_is_stable_whatever_the_order_of_keys() -> None:
    assert dumps({"b": 1, "a": [2, {"d": 1, "c": 2}]}) == '{"a":[2,{"c":2,"d":1}],"b":1}'
