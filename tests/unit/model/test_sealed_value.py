"""A secret that could not be opened: like no other value, unlike none, and never mistaken for one that is known."""

from __future__ import annotations

import pytest
from attrs import frozen

from provisioner.errors import KeyMissing
from provisioner.model.address import Address
from provisioner.model.functions import CORE
from provisioner.model.schema import Schema, prop
from provisioner.model.value import (
    Call,
    Ref,
    Sealed,
    Secret,
    Unknown,
    Value,
    conceal,
    dig,
    evaluate,
    has_sealed,
    has_secret,
    is_known,
    reveal,
)

SHUT = Sealed()
A = Ref(Address("toy.thing", "a"), "password")


def test_it_is_equal_to_nothing_else() -> None:
    """Not even to what is sealed elsewhere, so no comparison by mistake finds two secrets the same."""
    assert Sealed() != Sealed()
    assert Sealed() != Secret(None)
    assert Secret(None) != Sealed()
    assert SHUT == SHUT


def test_it_is_a_secret_that_is_not_known() -> None:
    """Wherever it stands."""
    value: Value = {"a": (1, SHUT)}

    assert has_secret(value)
    assert has_sealed(value)
    assert not is_known(value)
    assert not has_sealed({"a": (1, Secret("x"))})
    assert conceal(value) == {"a": (Secret(1), SHUT)}


def test_opening_it_says_what_is_missing() -> None:
    """As an error for people, also for who only expects that a value may not do."""
    for attempt in (SHUT.reveal, lambda: reveal({"a": (SHUT,)})):
        with pytest.raises(KeyMissing) as caught:
            attempt()
        assert isinstance(caught.value, ValueError)
        assert "PROV_AGE_KEY" in caught.value.remedy


def test_it_never_prints() -> None:
    """It has nothing to print, and says so like every secret."""
    assert str(SHUT) == repr(SHUT) == "Sealed(***)"


def test_what_is_computed_from_it_is_sealed() -> None:
    """As a whole, for nothing is known of the result; what is unknown goes first."""
    made = evaluate(Call("concat", ("x", A)), lambda ref: SHUT, CORE)
    waiting = evaluate(Call("concat", (SHUT, A)), lambda ref: Unknown("toy.thing/a"), CORE)

    assert isinstance(made, Sealed)
    assert isinstance(waiting, Unknown)
    assert evaluate({"a": A}, lambda ref: SHUT, CORE) == {"a": SHUT}


def test_what_lies_within_it_is_sealed() -> None:
    """As with what is unknown."""
    assert dig({"certs": SHUT}, "certs.os.crt") is SHUT


@frozen
class _Props:
    token: Secret = prop(secret=True)  # noqa: RUF009
    size: int = prop(default=1)


def test_it_may_be_of_any_type() -> None:
    """A kind has no complaints about what nobody has seen."""
    assert list(Schema.of(_Props).complaints({"token": SHUT, "size": SHUT})) == []
