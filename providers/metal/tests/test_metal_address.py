"""Addresses of BMCs: what an inventory may say, and how it is told that it may not."""

from __future__ import annotations

import pytest
from prov_metal.bmc.address import BmcAddress, parse
from prov_metal.bmc.flavours import FLAVOURS

from provisioner.sdk import ProvError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("redfish://10.0.0.12", BmcAddress("https://10.0.0.12")),
        ("redfish+http://127.0.0.1:8000/Systems/2", BmcAddress("http://127.0.0.1:8000", "2")),
        ("redfish://bmc?vendor=hpe", BmcAddress("https://bmc", vendor="hpe")),
        ("ipmi://10.0.0.12", BmcAddress("ipmi://10.0.0.12:623")),
        ("ipmi://[fd00::1]:6230", BmcAddress("ipmi://[fd00::1]:6230")),
        ("ipmi://bmc?vendor=dell&cipher=3", BmcAddress("ipmi://bmc:623", vendor="dell", cipher=3)),
        ("ipmi://bmc?mode=bios", BmcAddress("ipmi://bmc:623", uefi=False)),
    ],
)
def test_an_address_says_what_is_spoken_and_where(text: str, address: BmcAddress) -> None:
    """Host, port, system and options, each with its default."""
    assert parse(text) == address


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ("10.0.0.12", "no redfish:// or ipmi://", "redfish://HOST or ipmi://HOST"),
        ("ipmi://", "no redfish:// or ipmi://", "ipmi://HOST"),
        ("ipmi://bmc:seven", "no redfish:// or ipmi://", "ipmi://HOST"),
        ("ipmi://admin:hunter2@bmc", "a user or a password", "fields of their own"),
        ("ipmi://bmc/Systems/1", "has a path", "ipmi://HOST"),
        ("ipmi://bmc?cypher=3", "'cypher'", "did you mean 'cipher'?"),
        ("ipmi://bmc?cipher=0", "cipher cannot be '0'", "17, 3"),
        ("ipmi://bmc?vendor=del", "vendor cannot be 'del'", "did you mean 'dell'?"),
        ("redfish://bmc?cipher=3", "'cipher'", "vendor"),
    ],
)
def test_what_is_no_address_is_refused_with_a_remedy(text: str, says: str, hint: str) -> None:
    """The error says what is wrong with it, and never repeats a password."""
    with pytest.raises(ProvError) as caught:
        parse(text)
    assert (says in caught.value.detail, hint in caught.value.remedy) == (True, True)
    assert "hunter2" not in caught.value.detail


def test_a_place_has_the_port_of_what_is_spoken() -> None:
    """Where no port is said."""
    places = {text: parse(text).place for text in ("ipmi://bmc", "redfish://bmc", "redfish+http://bmc")}
    assert places == {"ipmi://bmc": ("bmc", 623), "redfish://bmc": ("bmc", 443), "redfish+http://bmc": ("bmc", 80)}


def test_flavours_differ_in_devices_a_bmc_knows() -> None:
    """Selectors fit in the four bits that IPMI has for them."""
    assert {name for name, row in FLAVOURS.items() if not (0 < row.disk < 16 and 0 < row.cd < 16)} == set()
