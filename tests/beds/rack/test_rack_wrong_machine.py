"""Machines that must be left alone: somebody else's, or another one than is meant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from beds.rack.operator import Operator, cluster
from beds.rack.rack import Rack

from provisioner.errors import ProvError


@pytest.fixture
def operator(tmp_path: Path, age_key: Path) -> Iterator[Operator]:
    """At a rack of three."""
    folder = tmp_path / "first"
    folder.mkdir()
    operator = Operator(folder, age_key)
    with Rack(3, tmp_path, clock=operator.clock) as rack:
        operator.rack = rack
        yield operator


def other(operator: Operator) -> Operator:
    """Somebody else at the same rack, with a cluster of the same name and a state of his own."""
    folder = operator.folder.parent / "second"
    folder.mkdir()
    found = Operator(folder, operator.key, seconds=operator.seconds)
    found.rack = operator.rack
    for server in operator.rack.servers.values():
        server.clock = found.clock
    return found


def test_a_host_where_another_cluster_runs_is_left_alone(operator: Operator) -> None:
    """Two files with one inventory choose the same rows; the second is told, and the first goes on running."""
    operator.write(cluster(operator.rack, 1))
    assert operator.apply().complete
    server = operator.rack.servers["r1u1"]
    second = other(operator)
    second.write(cluster(operator.rack, 1))
    server.log.clear()
    ran = second.apply()

    assert not ran.complete
    assert ran.failures[0].summary == "a host is in use"
    assert "r1u1 is on, and at" in ran.failures[0].detail
    assert "another cluster file" in ran.failures[0].remedy
    assert (server.power, server.runs, server.installs, server.log) == (True, True, 1, [])


def test_a_host_that_was_refused_is_not_touched_when_another_is_taken(operator: Operator) -> None:
    """Who corrects the file afterwards does not have the first machine switched off."""
    operator.write(cluster(operator.rack, 1))
    assert operator.apply().complete
    server = operator.rack.servers["r1u1"]
    second = other(operator)
    second.write(cluster(operator.rack, 1))
    assert not second.apply().complete
    server.log.clear()
    document = cluster(operator.rack, 1)
    document["endpoint"] = operator.rack.servers["r1u2"].plate.address
    rows = document["providers"]["metal"]["inventory"]
    rows["r1u1"]["bmc"], rows["r1u2"]["bmc"] = rows["r1u2"]["bmc"], rows["r1u1"]["bmc"]
    rows["r1u1"]["address"], rows["r1u2"]["address"] = rows["r1u2"]["address"], rows["r1u1"]["address"]
    rows["r1u1"]["macs"], rows["r1u2"]["macs"] = rows["r1u2"]["macs"], rows["r1u1"]["macs"]
    second.write(document)
    ran = second.apply()

    assert ran.complete, ran.text
    assert (server.power, server.runs, server.installs, server.log) == (True, True, 1, [])


def test_a_second_row_for_a_machine_that_is_a_node_is_refused(operator: Operator) -> None:
    """The BMC tells the same UUID, whatever the row says of its place."""
    operator.write(cluster(operator.rack, 1))
    assert operator.apply().complete
    server = operator.rack.servers["r1u1"]
    document = cluster(operator.rack, 1, 1)
    row = document["providers"]["metal"]["inventory"]["r1u2"]
    row["bmc"] = f"{operator.rack.address('r1u1')}/redfish/v1/Systems/{server.plate.uuid}"
    operator.write(document)
    server.log.clear()
    ran = operator.apply()

    assert ran.failures[0].summary == "two hosts have the same UUID"
    assert (server.power, server.runs, server.installs, server.log) == (True, True, 1, [])


@pytest.mark.parametrize("pinned", [True, False], ids=["by its row", "by its record"])
def test_a_bmc_that_leads_to_another_machine_switches_nothing_off(operator: Operator, pinned: bool) -> None:
    """Two BMCs that DHCP gave each other's addresses: removing one node does not end the other."""
    rack = operator.rack
    for name in ("r1u1", "r1u2"):
        rack.rows[name] |= {"serial": rack.servers[name].plate.serial} if pinned else {}
    operator.write(cluster(rack, 1, 1))
    assert operator.apply().complete
    rack.bmcs["r1u1"], rack.bmcs["r1u2"] = rack.bmcs["r1u2"], rack.bmcs["r1u1"]
    first = rack.servers["r1u1"]
    first.log.clear()
    operator.write(cluster(rack, 1, 0))
    ran = operator.apply()

    assert ran.failures[0].summary == "another machine is behind this BMC"
    assert "prov state rm" in ran.failures[0].remedy
    assert (first.power, first.runs, first.log) == (True, True, [])


def test_two_provider_blocks_do_not_give_one_machine_to_two_nodes(operator: Operator) -> None:
    """Each would choose the first row that is free."""
    document = cluster(operator.rack, 1, 1)
    document["providers"]["again"] = {**document["providers"]["metal"], "type": "metal"}
    document["pools"]["workers"]["provider"] = "again"
    operator.write(document)
    with pytest.raises(ProvError, match="two nodes would have the same machine") as caught:
        operator.apply()

    assert "control-1 (r1u1 of metal)" in caught.value.detail
    document["pools"]["workers"]["hosts"] = ["r1u2"]
    operator.write(document)
    assert operator.apply().complete


def test_a_host_that_is_gone_from_the_inventory_can_be_given_back(operator: Operator) -> None:
    """An error names the host and what to do; what is on record is enough to do it."""
    operator.write(cluster(operator.rack, 1, 1))
    assert operator.apply().complete
    document = cluster(operator.rack, 1, 1)
    del document["providers"]["metal"]["inventory"]["r1u2"]
    operator.write(document)
    for run in (operator.apply, operator.destroy):
        with pytest.raises(ProvError, match="a host is no longer in the inventory") as caught:
            run()
        assert "list workers-1 under `without:`" in caught.value.remedy
    document["pools"]["workers"]["without"] = ["workers-1"]
    operator.write(document)
    ran = operator.apply()

    assert ran.complete, ran.text
    assert [server.power for server in operator.rack.servers.values()] == [True, False, False]


def test_a_bmc_that_is_corrected_to_a_wrong_one_switches_nothing_on(operator: Operator) -> None:
    """The node is known by its serial number; another one is taken only where the row names it."""
    rack = operator.rack
    operator.write(cluster(rack, 1))
    assert operator.apply().complete
    rack.rows["r1u1"]["bmc"] = rack.address("r1u3")
    rack.rows["r1u3"]["bmc"] = rack.address("r1u1")
    operator.write(cluster(rack, 1))
    ran = operator.apply()

    assert ran.failures[0].summary == "another machine is behind the new address of a BMC"
    assert "write its `serial` there" in ran.failures[0].remedy
    assert not rack.servers["r1u3"].power
    assert rack.servers["r1u1"].power
