"""Faults of hosts that are made already: while they are switched on again, and while they are given back.

What is said of them has the same parts as for a host that is made: likely cause, what was seen, the next command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from beds.rack.operator import Operator, Ran, cluster
from beds.rack.rack import PASSWORD, Rack
from beds.rack.server import Server

WIPE = ["/dev/sdb"]


@pytest.fixture
def operator(tmp_path: Path, age_key: Path) -> Iterator[Operator]:
    """At a rack of two with a cluster on it, a control plane and a worker whose second disk is to be erased."""
    operator = Operator(tmp_path, age_key)
    with Rack(2, tmp_path, clock=operator.clock) as rack:
        rack.site.extra_disks = ("/dev/sdb",)
        operator.rack = rack
        operator.write(document(operator, 1))
        made = operator.apply()
        assert made.complete, made.text
        yield operator


def document(operator: Operator, workers: int) -> dict[str, Any]:
    made = cluster(operator.rack, 1, workers)
    made["providers"]["metal"]["inventory"]["r1u2"]["wipe"] = WIPE
    return made


def worker(operator: Operator) -> Server:
    return operator.rack.servers["r1u2"]


def trouble(operator: Operator, **more: Any) -> None:
    worker(operator).trouble = evolve(worker(operator).trouble, **more)


def without_worker(operator: Operator) -> Ran:
    operator.write(document(operator, 0))
    return operator.apply()


def explained(ran: Ran) -> Any:
    """The failure of the host, which has all parts and no secret."""
    (failure,) = [failure for failure in ran.failures if failure.address == "metal.host/workers-1"]

    assert "likely: " in failure.detail
    assert "seen: " in failure.detail
    assert failure.remedy
    assert PASSWORD not in ran.text
    assert re.search(r"/[0-9a-f]{32}", ran.text) is None
    return failure


def test_a_switch_that_does_nothing_is_told_where_a_host_is_to_be_on_again(operator: Operator) -> None:
    """It went off; pressing its switch leads nowhere."""
    operator.rack.site.cut(worker(operator))
    operator.rack.catch_up()
    trouble(operator, switch_is_dead=True)
    failure = explained(operator.apply())

    assert failure.verb == "update"
    assert "its power switch does nothing after 5 min (switching; is switched on)" in failure.detail
    assert "(reset-ignored)" in failure.detail
    assert "press its power button" in failure.remedy


def test_a_password_that_was_changed_is_told_where_a_host_is_to_be_on_again(operator: Operator) -> None:
    """Planned while the BMC still took the old one."""
    operator.rack.site.cut(worker(operator))
    operator.rack.catch_up()
    asked: list[str] = []

    def before(name: str, _: Any) -> None:
        asked.append(name)
        if asked.count("r1u2") > 6:
            trouble(operator, password="another")

    operator.rack.before = before
    failure = explained(operator.apply())

    assert "(bmc-password)" in failure.detail
    assert "curl -k -u USER" in failure.remedy


def test_a_bmc_that_is_gone_is_told_where_a_host_is_given_back(operator: Operator) -> None:
    """The node has left, and nobody can tell whether the machine is off."""

    def before(name: str, asked: Any) -> None:
        if name == "r1u2" and operator.rack.site.wiped(worker(operator)):
            operator.rack.fronts[name].close()
            raise ConnectionError

    operator.rack.before = before
    failure = explained(without_worker(operator))

    assert failure.verb == "delete"
    assert "its BMC does not answer as it should after 5 min" in failure.detail
    assert "(bmc-unreachable)" in failure.detail
    assert "ping" in failure.remedy


def test_a_host_that_does_not_switch_off_is_told_where_it_is_given_back(operator: Operator) -> None:
    """It hangs, nothing is to be erased, so its switch is pressed, and nothing comes of it."""
    operator.rack.rows["r1u2"]["wipe"] = []
    machine = operator.rack.site.machine("r1u2")
    assert machine is not None
    machine.hangs = True
    trouble(operator, switch_is_dead=True)
    made = document(operator, 0)
    made["providers"]["metal"]["inventory"]["r1u2"]["wipe"] = []
    operator.write(made)
    failure = explained(operator.apply(allow="unwiped"))

    assert "it does not switch off after 4 min" in failure.detail
    assert "takes the order to switch off and does not do it (reset-ignored)" in failure.detail


def test_a_disc_that_is_not_let_go_is_told_where_a_host_is_given_back(operator: Operator) -> None:
    """Somebody had put one in."""
    worker(operator).inserted = "http://127.0.0.1:9/rescue.iso"
    trouble(operator, ejects_after_s=86_400.0)
    failure = explained(without_worker(operator))

    assert "what it booted from cannot be taken away after 5 min (emptying" in failure.detail
    assert "(eject-late)" in failure.detail
    assert not worker(operator).power


def test_a_node_whose_api_is_gone_and_that_stays_on_is_told(operator: Operator) -> None:
    """It has begun to erase its disk, and hangs."""
    machine = operator.rack.site.machine("r1u2")
    assert machine is not None
    machine.hangs = True
    failure = explained(without_worker(operator))

    assert failure.summary == "a host that is to erase its disks does not switch itself off"
    assert "(reset-hangs)" in failure.detail
    assert "--allow unwiped" in failure.remedy
    assert worker(operator).power
