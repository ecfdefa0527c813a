"""Paths that are left alone: what they cover, and what is written in their place."""

from __future__ import annotations

import pytest

from provisioner.model.address import Address
from provisioner.model.value import Path, Ref, Value, freeze
from provisioner.planner.ignored import Ignored

REF = Ref(Address("toy.thing", "b"), "tags")


@pytest.mark.parametrize(
    ("path", "covered"),
    [
        (("tags", "owner"), True),
        (("tags", "owner", "name"), True),
        (("tags",), False),
        (("tags", "owners"), False),
        (("disks", 0, "size"), True),
        (("disks", 1, "size"), False),
    ],
)
def test_a_path_covers_itself_and_all_below(path: Path, covered: bool) -> None:
    assert Ignored.of(["tags.owner", "disks.0"]).covers(path) == covered


@pytest.mark.parametrize(
    ("ignored", "wanted", "found", "written"),
    [
        (
            "tags.owner",
            {"tags": {"owner": 1, "n": 1}},
            {"tags": {"owner": 2, "n": 2}},
            {"tags": {"owner": 2, "n": 1}},
        ),
        ("tags.owner", {"tags": {"n": 1}}, {"tags": {"owner": 2}}, {"tags": {"n": 1, "owner": 2}}),
        ("tags.owner", {"tags": {"owner": 1, "n": 1}}, {"tags": {}}, {"tags": {"n": 1}}),
        ("tags.a.b", {"tags": {"a": {"b": 1}}}, {"tags": {}}, {"tags": {"a": {"b": 1}}}),
        ("tags", {"tags": {"a": 1}, "n": 1}, {"tags": {"b": 2}}, {"tags": {"b": 2}, "n": 1}),
        ("tags", {"tags": {"a": 1}}, {}, {"tags": {"a": 1}}),
        ("tags", {}, {"tags": {"b": 2}}, {"tags": {"b": 2}}),
        ("disks.1.size", {"disks": [1, {"size": 1}]}, {"disks": [2, {"size": 2}, 3]}, {"disks": [1, {"size": 2}]}),
        ("disks.7", {"disks": [1]}, {"disks": [2]}, {"disks": [1]}),
        ("tags.owner", {"tags": "none"}, {"tags": {"owner": 2}}, {"tags": "none"}),
    ],
)
def test_an_ignored_path_is_written_as_it_is_found(ignored: str, wanted: Value, found: Value, written: Value) -> None:
    before, there, after = (freeze(value) for value in (wanted, found, written))
    assert Ignored.of([ignored]).left_alone(before, before, there) == after  # type: ignore[arg-type]


def test_a_reference_that_is_known_makes_way_for_what_it_comes_to() -> None:
    ignored = Ignored.of(["tags.owner"])
    there = {"tags": {"owner": "them"}}

    known = ignored.left_alone({"tags": REF}, {"tags": {"owner": "me", "n": 1}}, there)
    assert known == {"tags": {"owner": "them", "n": 1}}
    assert ignored.left_alone({"tags": REF}, {"tags": REF}, there) == {"tags": REF}
