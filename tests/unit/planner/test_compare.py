"""Differences, leaf by leaf: each is told once, and none shows a secret."""

from __future__ import annotations

import pytest
from attrs import frozen

from provisioner.model.schema import Schema, prop
from provisioner.model.step import ABSENT, FieldChange
from provisioner.model.value import Origin, Sealed, Secret, Sourced, Unknown, Value
from provisioner.planner.compare import changes, differences

HERE = Origin("cluster.yaml", 3)


def _told(before: Value, after: Value) -> list[tuple[object, ...]]:
    return [(change.path, change.before, change.after) for change in differences(before, after)]


@pytest.mark.parametrize(
    "value",
    [None, 1, "x", True, (), {}, Secret("x"), {"a": (1, {"b": Secret("x")})}, {"a": None}],
    ids=repr,
)
def test_equal_values_do_not_differ(value: Value) -> None:
    assert _told(value, value) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [(Sourced(1, HERE), 1), (Secret("x"), Sourced(Secret("x"), HERE)), ({"a": 1, "b": 2}, {"b": 2, "a": 1})],
)
def test_neither_origin_nor_order_of_keys_is_a_difference(before: Value, after: Value) -> None:
    assert _told(before, after) == []
    assert _told(after, before) == []


@pytest.mark.parametrize(
    ("before", "after"), [(1, True), (0, False), (None, ""), (None, 0), ("1", 1), ((), {}), (None, ())]
)
def test_what_only_looks_alike_differs(before: Value, after: Value) -> None:
    assert [((), before, after)] == _told(before, after)


def test_every_leaf_is_told_with_its_path() -> None:
    before: Value = {"same": 1, "old": 2, "deep": {"list": (1, 2, {"x": 1})}}
    after: Value = {"same": 1, "new": 3, "deep": {"list": (1, 5, {"x": 2}, 9)}}
    assert _told(before, after) == [
        (("old",), 2, ABSENT),
        (("deep", "list", 1), 2, 5),
        (("deep", "list", 2, "x"), 1, 2),
        (("deep", "list", 3), ABSENT, 9),
        (("new",), ABSENT, 3),
    ]


def test_a_tree_that_comes_or_goes_is_told_by_its_leaves() -> None:
    tree: Value = {"a": 1, "b": {"c": 2}}
    assert _told({}, {"t": tree}) == [(("t", "a"), ABSENT, 1), (("t", "b", "c"), ABSENT, 2)]
    assert _told({"t": tree}, {}) == [(("t", "a"), 1, ABSENT), (("t", "b", "c"), 2, ABSENT)]


def test_what_is_unknown_differs_on_its_own_leaf_only() -> None:
    assert _told({"a": 1, "b": 2}, {"a": 1, "b": Unknown("x")}) == [(("b",), 2, Unknown())]


def test_a_change_says_where_it_was_written() -> None:
    (change,) = differences({"a": 1}, {"a": Sourced(2, HERE)})
    assert change == FieldChange(("a",), 1, 2, HERE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Secret("hunter2"), Secret("other")),
        (Secret("hunter2"), "plain"),
        ("hunter2", Secret("other")),
        (Secret("hunter2"), None),
        (Secret("hunter2"), ABSENT),
        (ABSENT, Secret("hunter2")),
        (Secret("hunter2"), {"a": "plain"}),
        ({"a": "hunter2"}, Secret("x")),
        (Secret("hunter2"), Unknown()),
        (Secret("hunter2"), ("plain", "list")),
        ({"a": Secret("x")}, "hunter2"),
        ((Secret("x"),), {"a": "hunter2"}),
    ],
    ids=repr,
)
def test_if_either_side_is_secret_neither_is_shown(before: Value, after: Value) -> None:
    (change,) = differences({"k": before}, {"k": after})
    assert "hunter2" not in repr(change)
    assert "plain" not in repr(change)


def test_a_secret_that_becomes_plain_with_the_same_text_is_no_difference() -> None:
    assert _told(Secret("x"), "x") == []


def test_presence_is_no_secret() -> None:
    assert _told({"k": Secret("x")}, {}) == [(("k",), Secret("x"), ABSENT)]


@pytest.mark.parametrize(
    "other", [ABSENT, None, "x", Secret("x"), Unknown("a"), {"a": 1}, (1, 2), Sealed()], ids=repr
)
def test_what_is_sealed_is_not_compared(other: Value) -> None:
    assert _told({"a": Sealed(), "b": 1}, {"a": other, "b": 2}) == [(("b",), 1, 2)]
    assert _told({"a": other, "b": 1}, {"a": Sealed(), "b": 2}) == [(("b",), 1, 2)]


def _kind(item: Value) -> str | int:
    return str(item.get("kind", "")) or 0 if isinstance(item, dict) else 0


@frozen
class _Named:
    documents: tuple[dict[str, object], ...] = prop(named_by=_kind)


def _between(before: tuple[Value, ...], after: tuple[Value, ...]) -> list[tuple[object, ...]]:
    found = changes(Schema.of(_Named), {"documents": before}, {"documents": after})
    return [(change.path, change.before, change.after) for change in found]


def test_elements_with_names_are_compared_by_them() -> None:
    """Whatever their order: one that comes in between changes no other."""
    root, a, b = {"x": 1}, {"kind": "A", "v": 1}, {"kind": "B", "v": 1}
    assert _between((root, a, b), (root, b, a)) == []
    assert _between((root, b), (root, a, b)) == [
        (("documents", "A", "kind"), ABSENT, "A"),
        (("documents", "A", "v"), ABSENT, 1),
    ]
    assert _between((root, a), ({"x": 2}, a | {"v": 2})) == [
        (("documents", 0, "x"), 1, 2),
        (("documents", "A", "v"), 1, 2),
    ]


def test_elements_with_one_name_are_compared_as_a_whole() -> None:
    a, b = {"kind": "A", "v": 1}, {"kind": "A", "v": 2}
    assert _between((a, b), (a,)) == [(("documents",), (a, b), {"A": a})]
