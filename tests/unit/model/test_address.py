"""Addresses: one form, and everything else is refused by name."""

from __future__ import annotations

import pytest

from provisioner.model.address import Address


@pytest.mark.parametrize("text", ["sim.machine/control-1", "toy.a_b/0", "x.y/a.b_c-d", "talos.config/worker-10"])
def test_an_address_reads_as_it_is_written(text: str) -> None:
    assert text == str(Address.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "machine/a",
        "sim.machine",
        "sim.machine/",
        "sim.machine/-a",
        "sim.machine/a-",
        "sim.machine/A",
        "Sim.machine/a",
        "sim.machine/a/b",
        "sim.machine.x/a",
        "sim.machine/a b",
        "sim.machine/a\n",
        " sim.machine/a",
    ],
)
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"one looks like sim\.machine/control-1"):
        Address.parse(text)


def test_the_kind_names_the_type_of_provider() -> None:
    assert Address.parse("sim.machine/a").provider_type == "sim"


def test_addresses_sort_by_kind_then_name() -> None:
    a, b, c = Address("a.x", "z"), Address("b.x", "a"), Address("b.x", "b")
    assert [a, b, c] == sorted([c, a, b])


def test_equal_addresses_are_one_key() -> None:
    assert {Address("a.x", "y"): 2} == {Address("a.x", "y"): 1} | {Address.parse("a.x/y"): 2}
