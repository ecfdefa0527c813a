"""Strategic merge: the cases below `tests/cases/patch`, and what YAML cannot say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner.model.address import Address
from provisioner.model.value import Origin, Ref, Secret, Sourced, reveal
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
            merge(decode(case["base"]), decode(case["patch"]))
        assert case["error"] in caught.value.detail
        assert caught.value.remedy
    else:
        # As JSON text, so that the order of keys counts and false is not zero.
        expected = json.dumps([reveal(each) for each in decode(case["expected"])])
        merged = merge(decode(case["base"]), decode(case["patch"]))
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


def test_a_list_is_no_document() -> None:
    """A JSON patch written as YAML is one document that is a list."""
    operations: Any = ({"op": "add", "path": "/machine/certSANs/-", "value": "a"},)
    with pytest.raises(PatchError) as caught:
        merge(({"machine": {}},), (operations,))
    assert "JSON patches (RFC 6902) are not supported" in caught.value.summary


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
