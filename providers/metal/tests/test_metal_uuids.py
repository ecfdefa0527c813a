"""A machine's UUID, in whatever order of bytes it is written."""

from __future__ import annotations

import pytest
from prov_metal.bmc.driver import Facts
from prov_metal.bmc.uuids import turned

SAID = "6AE7F5B2-0102-0304-0506-0708090a0b0c"


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("6ae7f5b2-0102-0304-0506-0708090a0b0c", True),
        ("b2f5e76a-0201-0403-0506-0708090A0B0C", True),
        ("0c0b0a09-0807-0605-0403-0201b2f5e76a", True),
        ("b2f5e76a-0102-0304-0506-0708090a0b0c", False),
        ("", False),
    ],
)
def test_a_uuid_is_the_machine_s_in_each_of_its_spellings(text: str, same: bool) -> None:
    """Also where its BMC names other orders besides; half turned it is another one, and so is none."""
    facts = Facts("", "", "", SAID, "", on=True, uuid_spellings=("0c0b0a09-0807-0605-0403-0201b2f5e76a",))

    assert facts.is_uuid(text) is same


def test_what_is_no_uuid_has_no_other_order() -> None:
    """Boards without one have no spelling, so that nobody is taken for them."""
    assert (turned("board 7"), turned("")) == ("", "")
    assert Facts("", "", "", "", "", on=True).uuids == frozenset()
