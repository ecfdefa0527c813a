"""Hosts go to nodes the same way every time, spread over racks, and stay where they are."""

from __future__ import annotations

import pytest
from prov_metal.claims import claim
from prov_metal.settings import HostRow

from provisioner.sdk import Node, ProvError


def row(rack: str, **labels: str) -> HostRow:
    return HostRow(bmc="redfish://10.0.0.1", address="10.1.0.1", rack=rack, labels=labels)


def nodes(count: int, pool: str = "workers", zone: str = "", **options: object) -> tuple[Node, ...]:
    return tuple(
        Node(f"{pool}-{number}", "worker", pool, "rack", zone=zone, options=options)  # type: ignore[arg-type]
        for number in range(1, count + 1)
    )


HOSTS = {"a1": row("a"), "a2": row("a", gpu="yes"), "b1": row("b"), "c1": row("c")}


def test_nodes_of_a_pool_are_spread_over_racks() -> None:
    """Each next node goes where the fewest of its pool are; the inventory's order decides among equals."""
    expected = {"workers-1": "a1", "workers-2": "b1", "workers-3": "c1", "workers-4": "a2"}
    assert expected == claim(nodes(4), HOSTS, {})


def test_what_is_held_stays_and_is_nobody_else_s() -> None:
    """A new node, and a new order of the inventory, move nobody."""
    held = {"workers-1": "c1", "workers-2": "a2"}
    assert claim(nodes(3), dict(reversed(HOSTS.items())), held) == {**held, "workers-3": "b1"}


def test_the_host_of_a_dropped_node_is_taken_last() -> None:
    """It has to be released first, so others are taken as long as there are any."""
    held = {"gone-1": "a1"}
    assert claim(nodes(3), HOSTS, held) == {"workers-1": "a2", "workers-2": "b1", "workers-3": "c1"}
    assert "a1" in claim(nodes(4), HOSTS, held).values()


@pytest.mark.parametrize(
    ("options", "zone", "expected"),
    [
        ({"labels": {"gpu": "yes"}}, "", "a2"),
        ({"racks": ("c",)}, "", "c1"),
        ({"hosts": ("b1",)}, "", "b1"),
        ({}, "c", "c1"),
    ],
)
def test_a_pool_chooses_among_hosts(options: dict[str, object], zone: str, expected: str) -> None:
    """By name, rack, zone and label."""
    assert list(claim(nodes(1, zone=zone, **options), HOSTS, {}).values()) == [expected]


def test_a_node_without_a_host_is_named_with_its_wish() -> None:
    """The error says which node found none, and what it asked for."""
    with pytest.raises(ProvError) as caught:
        claim(nodes(2, labels={"gpu": "yes"}), HOSTS, {})
    assert caught.value.detail == "workers-2: a host with gpu=yes is wanted; of 4 hosts 1 are taken"


def test_a_host_that_has_left_the_inventory_is_asked_for() -> None:
    """Its node still runs there, and nobody else may decide that it does not."""
    with pytest.raises(ProvError) as caught:
        claim(nodes(1), HOSTS, {"workers-1": "z9"})
    assert "z9" in caught.value.remedy
