"""The mutations fit the source as it is, so that `make mutate` has something to try."""

from __future__ import annotations

import ast
from collections import Counter

import pytest
from mutations.catalogue import ROOT, Mutation, catalogue

ALL = catalogue()
AREAS = (
    "talos/config/assemble.py",
    "talos/config/cluster.py",
    "talos/config/documents/",
    "talos/config/encode.py",
    "talos/config/generated/",
    "talos/config/immediate.py",
    "talos/config/operations.py",
    "talos/config/redact.py",
    "talos/config/removal.py",
    "talos/config/strategic.py",
    "talos/images/schematic.py",
    "talos/pki/",
)


@pytest.mark.parametrize("mutation", ALL, ids=lambda each: each.name)
def test_a_mutation_fits_the_source(mutation: Mutation) -> None:
    """Its text stands there once, what it becomes is Python, and the tests that are to notice it exist."""
    changed = mutation.applied((ROOT / mutation.file).read_text())

    ast.parse(changed)
    assert mutation.old != mutation.new
    assert mutation.tests
    assert [test for test in mutation.tests if not _exists(test)] == []


def _exists(test: str) -> bool:
    """Whether a file of tests is there, and the test in it that is named behind colons."""
    file, *names = test.split("::")
    text = (ROOT / file).read_text() if (ROOT / file).exists() else ""
    return bool(text) and all(f"def {name}(" in text or f"class {name}:" in text for name in names)


def test_there_are_many_and_each_has_a_name_of_its_own() -> None:
    assert len(ALL) >= 100
    assert [name for name, count in Counter(each.name for each in ALL).items() if count > 1] == []


@pytest.mark.parametrize("area", AREAS)
def test_every_area_has_some(area: str) -> None:
    assert [each for each in ALL if f"provisioner/{area}" in each.file]


def test_a_mutation_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="0 times"):
        Mutation("x", "a.py", "old", "new", ()).applied("something else")
