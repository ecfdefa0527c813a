"""A cluster on a rack, from servers that are off to nodes that are healthy, and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from beds.rack.operator import Operator, cluster
from beds.rack.rack import Rack


@pytest.fixture
def operator(tmp_path: Path, age_key: Path) -> Iterator[Operator]:
    """At a rack of three."""
    operator = Operator(tmp_path, age_key)
    with Rack(3, tmp_path, clock=operator.clock) as rack:
        operator.rack = rack
        yield operator


@pytest.mark.parametrize("returns", [True, False], ids=["comes back", "stays off"])
def test_a_rack_becomes_a_cluster_and_a_rack_again(operator: Operator, returns: bool) -> None:
    """Each disk is written once; in the end everything is off, empty, and boots from its disk."""
    for server in operator.rack.servers.values():
        server.returns = returns
    operator.write(cluster(operator.rack, 1, 1))

    made = operator.apply()
    servers = [*operator.rack.servers.values()]

    assert made.complete, made.text
    assert [server.installs for server in servers] == [1, 1, 0]
    assert [(server.power, server.inserted, server.override) for server in servers] == [
        (True, None, None),
        (True, None, None),
        (False, None, None),
    ]
    gone = operator.destroy()
    assert gone.complete, gone.text
    assert [(server.power, server.inserted, server.installed) for server in servers] == [(False, None, None)] * 3


def test_a_host_given_back_becomes_a_node_again(operator: Operator) -> None:
    """No disc installs over what a Talos left behind, so nothing is left of it, though no row names a disk."""
    operator.write(cluster(operator.rack, 1, 1))
    for _ in range(2):
        assert operator.apply().complete
        assert operator.destroy().complete

    assert [server.installs for server in operator.rack.servers.values()] == [2, 2, 0]
