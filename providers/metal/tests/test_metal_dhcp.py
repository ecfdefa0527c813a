"""What dnsmasq is told, and what is read of it and of the kernel."""

from __future__ import annotations

from pathlib import Path

import pytest
from prov_metal.boot.dhcp import DhcpSettings, Files, card, config, neighbour

NEIGHBOURS = """\
IP address       HW type     Flags       HW address            Mask     Device
10.0.0.11        0x1         0x2         52:54:00:00:00:0B     *        eno2
10.0.0.12        0x1         0x0         00:00:00:00:00:00     *        eno2
10.0.0.13        0x1         0x2         52:54:00:00:00:0d     *        eno1
"""
LEASES = "1796000000 52:54:00:00:00:0B 10.0.0.11 * 01:52:54:00:00:00:0b\nduid 00:01\n"


@pytest.mark.parametrize(
    ("address", "expected"),
    [("10.0.0.11", "52:54:00:00:00:0b"), ("10.0.0.12", ""), ("10.0.0.13", ""), ("10.0.0.1", "")],
)
def test_the_card_behind_an_address_is_the_one_that_answers_at_our_interface(address: str, expected: str) -> None:
    """One that has not answered, or hangs elsewhere, is nobody's."""
    assert expected == neighbour(NEIGHBOURS, address, "eno2")


def test_the_card_that_was_given_an_address_is_the_one_of_its_lease() -> None:
    assert card(LEASES, "10.0.0.11") == "52:54:00:00:00:0b"
    assert card(LEASES, "10.0.0.12") == ""


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("http://10.0.0.5:8069", "http://10.0.0.5:8069/boot.ipxe,,10.0.0.5"),
        ("http://[fd00::5]:8069", "http://[fd00::5]:8069/boot.ipxe"),
    ],
)
def test_ipxe_is_told_a_server_beside_the_url(base: str, expected: str, tmp_path: Path) -> None:
    """It has an address of IPv4, or none: the field has no room for another."""
    lines = config(DhcpSettings("eno2", proxy="10.0.0.0"), base, Files(tmp_path), "root", "root").splitlines()
    assert f"dhcp-boot=tag:ipxe,{expected}" in lines
