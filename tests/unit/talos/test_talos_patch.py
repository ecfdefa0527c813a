"""Strategic merge: the cases below `tests/cases/patch`, and what YAML cannot say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner.model.address import Address
from provisioner.model.value import Origin, Ref, Secret, Sourced, freeze, reveal
from provisioner.talos.config.encode import decode
from provisioner.talos.config.patch import Document, PatchError, merge

CASES = Path(__file__).parents[2] / "cases" / "patch"


def _cases() -> Iterator[Any]:
    for file in sorted(CASES.glob("*.yaml")):
        for case in yaml.safe_load(file.read_text()):
            yield pytest.param(case, id=f"{file.stem}: {case['name']}")


@pytest.mark.parametrize("case", list(_cases()))
def test_case(case: dict[str, str]) -> None:
    if "error" in case:
        with pytest.raises(PatchError) as caught:
            merge(decode(case["base"]), _parts(case["patch"]))
        assert case["error"] in caught.value.detail
        assert caught.value.remedy
    else:
        # As JSON text, so that the order of keys counts and false is not zero.
        expected = json.dumps([reveal(each) for each in decode(case["expected"])])
        merged = merge(decode(case["base"]), _parts(case["patch"]))
        assert expected == json.dumps([reveal(each) for each in merged])


def test_there_are_many_cases() -> None:
    assert len(list(_cases())) >= 160


def test_leaves_keep_where_they_came_from() -> None:
    new, old = Sourced("new", Origin("b.yaml", 2)), Sourced("old", Origin("a.yaml", 1))
    base: Document = {"machine": {"token": old, "certSANs": (old,)}}
    merged = merge((base,), ({"machine": {"token": new, "certSANs": (new,)}},))
    assert ({"machine": {"token": new, "certSANs": (old, new)}},) == merged


def test_sourced_identities_find_their_documents() -> None:
    def here(text: str) -> Sourced:
        return Sourced(text, Origin("p.yaml", 3))

    base: Document = {"apiVersion": "v1alpha1", "kind": "LinkConfig", "name": "eth0", "mtu": 1500}
    patch: Document = {
        "apiVersion": here("v1alpha1"),
        "kind": here("LinkConfig"),
        "name": here("eth0"),
        "mtu": 9000,
    }
    merged = merge((base,), (patch,))
    assert [document["mtu"] for document in merged] == [9000]


def test_sourced_zero_values_say_nothing() -> None:
    empty = Sourced(Secret(""), Origin("p.yaml", 3))
    assert merge(({"machine": {"token": "t"}},), ({"machine": {"token": empty}},)) == ({"machine": {"token": "t"}},)


def test_a_sourced_directive_deletes() -> None:
    directive = {"$patch": Sourced("delete", Origin("p.yaml", 3))}
    assert merge(({"machine": {"token": "t"}},), ({"machine": {"token": directive}},)) == ({"machine": {}},)


def test_references_merge_like_single_values() -> None:
    ref = Ref(Address("talos.secrets", "cluster"), "certs.os.crt")
    assert ({"a": ref, "b": "x"},) == merge(({"a": "old", "b": ref},), ({"a": ref, "b": "x"},))


def test_a_reference_may_stand_for_a_mapping() -> None:
    ref = Ref(Address("sim.network", "main"), "routes")
    assert ({"a": ref},) == merge(({"a": {"b": "c"}},), ({"a": ref},))


def _parts(text: str) -> tuple[Any, ...]:
    """Documents, or the operations of a JSON patch, which is a list."""
    if not text.startswith(("- ", "[")):
        return decode(text)
    operations = freeze(yaml.safe_load(text))
    assert isinstance(operations, tuple)
    return operations


def test_a_list_is_no_document() -> None:
    listed: Any = ({"machine": {}},)
    with pytest.raises(PatchError, match="must be a mapping"):
        merge(({"machine": {}},), (listed,))


def test_operations_keep_references_secrets_and_origins() -> None:
    ref, here = Ref(Address("talos.secrets", "cluster"), "certs.os.crt"), Origin("ops.yaml", 4)
    base: Document = {"machine": {"ca": ref, "token": Secret("x")}}
    operations = (
        {"op": Sourced("copy", here), "from": Sourced("/machine/ca", here), "path": Sourced("/machine/other", here)},
        {"op": Sourced("add", here), "path": Sourced("/machine/new", here), "value": Sourced("v", here)},
    )
    expected = {"machine": {"ca": ref, "token": Secret("x"), "other": ref, "new": Sourced("v", here)}}
    assert (expected,) == merge((base,), operations)


def test_a_failing_operation_names_its_line() -> None:
    here = Origin("patches/ops.yaml", 9)
    operation: Document = {"op": Sourced("remove", here), "path": Sourced("/machine/env", here)}
    with pytest.raises(PatchError) as caught:
        merge(({"machine": {}},), (operation,))
    assert str(caught.value.place) == "patches/ops.yaml:9:1"


def test_what_is_known_after_apply_cannot_be_tested() -> None:
    base: Document = {"machine": {"ca": Ref(Address("talos.secrets", "cluster"), "certs.os.crt")}}
    with pytest.raises(PatchError) as caught:
        merge((base,), ({"op": "test", "path": "/machine/ca", "value": "x"},))
    assert "known after apply" in caught.value.detail


def test_a_test_that_fails_shows_no_value() -> None:
    base: Document = {"machine": {"token": Secret("planted-secret")}}
    with pytest.raises(PatchError) as caught:
        merge((base,), ({"op": "test", "path": "/machine/token", "value": "another-secret"},))
    assert "secret" not in repr(caught.value.problems())


@pytest.mark.parametrize(("value", "holds"), [(True, True), (1, False)])
def test_true_is_not_one(value: Any, holds: bool) -> None:
    base: Document = {"machine": {"flag": True}}
    test: Document = {"op": "test", "path": "/machine/flag", "value": value}
    if holds:
        assert (base,) == merge((base,), (test,))
    else:
        with pytest.raises(PatchError):
            merge((base,), (test,))


def test_an_error_names_the_line_of_the_patch() -> None:
    bad = Sourced("b", Origin("patches/all.yaml", 7))
    with pytest.raises(PatchError) as caught:
        merge(({"machine": {"certSANs": ("a",)}},), ({"machine": {"certSANs": bad}},))
    assert str(caught.value.place) == "patches/all.yaml:7:1"


def test_an_error_shows_no_value() -> None:
    with pytest.raises(PatchError) as caught:
        merge(({"machine": {"ca": {"key": ("x",)}}},), ({"machine": {"ca": {"key": "planted-secret"}}},))
    assert "planted-secret" not in repr(caught.value.problems())


def test_the_base_is_left_as_it_was() -> None:
    base: Document = {"machine": {"certSANs": ("a",), "sysctls": {"x": "1"}}}
    merge((base,), ({"machine": {"certSANs": ("b",), "sysctls": {"$patch": "delete"}}},))
    assert base == {"machine": {"certSANs": ("a",), "sysctls": {"x": "1"}}}
