"""Claims by what machines are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from prov_metal.claims import claim
from prov_metal.kinds.props import HostProps
from prov_metal.matching import fits, wrong
from prov_metal.settings import HostRow

from provisioner.sdk import Node, ProvError, Schema


def host(**facts: Any) -> HostRow:
    return HostRow(bmc="redfish://b", address="10.1.0.1", facts=facts)


def node(name: str, **facts: Any) -> Node:
    return Node(name=name, pool="p", role="worker", provider="rack", options={"facts": facts})


@pytest.mark.parametrize(
    ("wish", "fact", "holds"),
    [
        (">=64", "64", True),
        (">=64", 63.5, False),
        ("> 64", "128", True),
        ("<=64", "128", False),
        ("<64", "9", True),
        ("64", "64.0", True),
        (64, "64", True),
        ("acme", "Acme", True),
        ("=acme", "Acme 2", False),
        ("!=acme", "Bolt", True),
        ("!=acme", "ACME", False),
        (">=64", "plenty", False),
        (True, "true", True),
    ],
)
def test_a_wish_is_held_against_a_fact(wish: Any, fact: Any, holds: bool) -> None:
    """Numbers as numbers, texts as texts."""
    assert fits({"it": wish}, {"it": fact}) is holds


def test_who_says_nothing_does_not_fit() -> None:
    """Nobody knows whether a host has what its row does not say, not even what it has not."""
    assert (fits({"memory_gib": "!=64"}, {}), fits({}, {})) == (False, True)


@pytest.mark.parametrize(
    ("wishes", "says"), [({"memory_gib": ">=lots"}, "no number"), ({"memory_gib": ">="}, "nothing")]
)
def test_a_wish_that_cannot_be_meant_is_an_error(wishes: Mapping[str, Any], says: str) -> None:
    """It is the pool's, not the host's."""
    assert says in wrong(wishes)
    with pytest.raises(ProvError, match="pool option") as caught:
        claim((node("a", **wishes),), {"one": host()}, {})
    assert "pool p" in caught.value.remedy


def test_a_pool_gets_the_hosts_that_are_as_it_asks() -> None:
    """The first that fits, in the inventory's order; what a node holds it keeps, whatever it is now."""
    hosts = {"small": host(memory_gib=32), "big": host(memory_gib="256"), "huge": host(memory_gib=512), "new": host()}
    nodes = (node("a", memory_gib=">=64"), node("b", memory_gib=">=64"))
    assert claim(nodes, hosts, {}) == {"a": "big", "b": "huge"}
    assert claim(nodes, hosts, {"a": "small"}) == {"a": "small", "b": "big"}


def test_the_error_says_what_was_asked_for() -> None:
    """In words, with the count of hosts."""
    with pytest.raises(ProvError) as caught:
        claim((node("a", memory_gib=">=64"),), {"small": host(memory_gib=32)}, {})
    assert caught.value.detail == "a: a host whose memory_gib is >=64 is wanted; of 1 hosts 0 are taken"


def test_an_exchanged_chassis_keeps_its_node() -> None:
    """A host is a place in a rack: other serial number, UUID, network cards and BMC, and the same node."""
    before = HostRow("redfish://b1", "10.1.0.1", serial="old", uuid="6ae7f5b2-0000-4000-8000-000000000001")
    after = HostRow("ipmi://b2", "10.1.0.1", serial="new", uuid="6ae7f5b2-0000-4000-8000-000000000002", macs=("x",))
    nodes = (node("a"), node("b"))
    held = claim(nodes, {"r1u1": before, "r1u2": host()}, {})
    assert claim(nodes, {"r1u2": host(), "r1u1": after}, held) == held == {"a": "r1u1", "b": "r1u2"}


def test_what_changes_with_a_chassis_makes_no_new_host() -> None:
    """Only another place, or another address of the node, is another host; all else is changed in place."""
    fixed = {name for name, field in Schema.of(HostProps).fields.items() if field.marks.immutable}
    assert fixed == {"host", "address"}
