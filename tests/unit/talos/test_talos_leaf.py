"""Texts made of leaves, known or not."""

from __future__ import annotations

import pytest

from provisioner.model.address import Address
from provisioner.model.functions import CORE
from provisioner.model.value import Call, Origin, Ref, Secret, Sourced, Unknown, Value, evaluate
from provisioner.talos.provider import TalosProvider
from provisioner.talos.settings.leaf import base64_of, joined, quoted, together

AT = Origin("cluster.yaml", 3)
REF = Ref(Address("a", "b"), "c")
FUNCTIONS = {**CORE, **TalosProvider.functions}


def test_a_known_text_is_made_at_once_and_keeps_its_marks() -> None:
    assert joined("A=", Sourced("b", AT)) == Sourced("A=b", AT)
    assert joined("A=", Secret("b")) == Secret("A=b")
    assert base64_of(Sourced(Secret("b"), AT)) == Sourced(Secret("Yg=="), AT)
    assert quoted(Sourced('a"b\\', AT)) == Sourced('"a\\"b\\\\"', AT)


def test_a_flag_is_spelled_as_configuration_spells_it() -> None:
    assert joined("A=", Sourced(True, AT)) == Sourced("A=true", AT)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(joined("A=", REF), "A=x"), (base64_of(REF), "eA=="), (quoted(REF), '"x"'), (together("(", REF, ")"), "(x)")],
)
def test_what_is_not_known_yet_is_made_later(value: Value, expected: str) -> None:
    assert evaluate(value, lambda _: Unknown(), FUNCTIONS) == Unknown()
    assert evaluate(value, lambda _: "x", FUNCTIONS) == expected


def test_several_parts_become_one() -> None:
    assert together("a", "b") == "ab"
    assert together("a == ", Sourced("1", AT), " && b") == Sourced("a == 1 && b", AT)
    assert together(Sourced("1", AT), " || ", Sourced("2", Origin("x", 9))) == Sourced("1 || 2", AT)


def test_a_secret_among_several_parts_makes_all_of_it_secret() -> None:
    made = together(Sourced("1", AT), Sourced(Secret("2"), AT))
    assert isinstance(made, Call)
    assert evaluate(made, lambda _: Unknown(), CORE) == Secret("12")
