"""BMCs that say something else of the power than what is true, for ever or for a while.

What counts is what was done to the machine meanwhile: a disc that is taken out, a switch that is pressed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from beds.bmc.exchange import Answer, Asked
from beds.rack import talos_says
from beds.rack.operator import Operator, Ran, cluster
from beds.rack.rack import Rack
from beds.rack.server import Server
from beds.rack.trouble import Trouble

LIES = "a BMC says that its machine is off, and it runs"


@pytest.fixture
def operator(tmp_path: Path, age_key: Path) -> Iterator[Operator]:
    """At a rack of one whose console is heard, and whose BMC shows a chassis."""
    operator = Operator(tmp_path, age_key)
    trouble = Trouble(chassis="on")
    with Rack(1, tmp_path, {"r1u1": trouble}, operator.clock, heard=True) as rack:
        operator.rack = rack
        yield operator


def server_of(operator: Operator) -> Server:
    return operator.rack.servers["r1u1"]


def writes(operator: Operator) -> list[str]:
    """What was done to the machine through its BMC: the last part of each path, and how the power was pressed."""
    done = operator.rack.bmcs["r1u1"].writes
    return [str(body["ResetType"]) if name == "ComputerSystem.Reset" else name for _, name, body in done]


def while_(operator: Operator, lies: Callable[[Server], bool | None], *, chatter: bool = False) -> None:
    """What the BMC says of the power, asked with each request; None for the truth.

    A machine with `chatter` prints a line with each request.
    """

    def before(name: str, asked: Asked) -> Answer | None:
        server = server_of(operator)
        with operator.rack.turn:
            server.trouble = evolve(server.trouble, says_power=lies(server))
            if chatter and server.power:
                server.console.append(f"[{operator.clock():9.1f}] systemd[1]: something was done")
        return None

    operator.rack.before = before
    operator.rack.attended = chatter and operator.rack.heard


def installs(server: Server) -> bool:
    """Whether it is at it, and not yet done."""
    return talos_says.INSTALL[-1] in server.console and not server.installs


def failed(ran: Ran) -> Any:
    (failure,) = [failure for failure in ran.failures if not failure.detail.startswith("it needs")]
    return failure


def test_nothing_is_done_to_an_installation_whose_bmc_says_that_it_is_off(operator: Operator) -> None:
    """The disc stays in, and the error names BMC, evidence and next command; once its BMC is well, all goes on."""
    server = server_of(operator)
    while_(
        operator, lambda server: False if server.power and server.console[server.said_at :] else None, chatter=True
    )
    operator.write(cluster(operator.rack))
    ran = operator.apply()
    failure = failed(ran)

    assert failure.summary == LIES
    assert f"r1u1: http://{operator.rack.fronts['r1u1'].host}" in failure.detail
    assert "its console goes on" in failure.detail
    assert "(power-lie)" in failure.detail
    assert "mc reset cold" in failure.remedy
    assert server.inserted is not None
    assert "VirtualMedia.EjectMedia" not in writes(operator)
    while_(operator, lambda server: None)
    mended = operator.apply()
    assert mended.complete, mended.text
    assert (server.installs, server.starts, server.inserted) == (1, 1, None)


@pytest.mark.parametrize("heard", [True, False], ids=["heard", "not heard"])
def test_a_bmc_that_starts_anew_under_an_installation_is_waited_for(operator: Operator, heard: bool) -> None:
    """It says "off" until it has looked, for most of a minute: neither a lie, nor the end of the installation."""
    rack, server, begun = operator.rack, server_of(operator), list[float]()
    rack.heard = heard

    def lies(server: Server) -> bool | None:
        if not begun and installs(server):
            begun.append(operator.clock())
        return False if begun and operator.clock() - begun[0] < 45 else None

    while_(operator, lies)
    operator.write(cluster(rack))
    ran = operator.apply()

    assert ran.complete, ran.text
    assert begun
    assert (server.installs, server.starts, server.inserted) == (1, 1, None)


def test_a_chassis_that_follows_the_power_tells_of_a_machine_that_nobody_hears(operator: Operator) -> None:
    """It has said "off" when the machine was off, so it knows."""
    rack, server = operator.rack, server_of(operator)
    rack.heard, server.trouble = False, Trouble(chassis="follows")
    while_(operator, lambda server: False if server.starts else None)
    operator.write(cluster(rack))
    failure = failed(operator.apply())

    assert failure.summary == LIES
    assert "its chassis 1 says that it is on" in failure.detail
    assert "VirtualMedia.EjectMedia" not in writes(operator)


def test_a_machine_that_is_used_is_left_alone_though_its_bmc_says_that_it_is_off(operator: Operator) -> None:
    """Nothing at all is done to it."""
    server = server_of(operator)
    server.foreign = server.power = True
    while_(operator, lambda server: False, chatter=True)
    operator.write(cluster(operator.rack))

    assert failed(operator.apply()).summary == LIES
    assert writes(operator) == []


def test_a_machine_that_runs_is_not_started_because_its_bmc_says_that_it_is_off(operator: Operator) -> None:
    """A node that answers as one of the cluster runs; the plan has the drift, and its step says what is wrong."""
    operator.write(cluster(operator.rack))
    assert operator.apply().complete
    before = writes(operator)
    while_(operator, lambda server: False)
    failure = failed(operator.apply())

    assert failure.summary == LIES
    assert "a node of the cluster answers at" in failure.detail
    assert writes(operator) == before


def test_a_host_is_neither_free_nor_erased_while_it_runs(operator: Operator) -> None:
    """Its node has ended its API to erase its disks; the BMC says that it is off, and its console goes on."""
    rack, server = operator.rack, server_of(operator)
    rack.site.extra_disks = ("/dev/sdb",)
    rack.rows["r1u1"]["wipe"] = ["/dev/sdb"]
    operator.write(cluster(rack))
    assert operator.apply().complete
    machine = rack.site.machine("r1u1")
    assert machine is not None
    machine.hangs = True
    before = writes(operator)
    while_(operator, lambda server: False, chatter=True)
    ran = operator.destroy()

    assert failed(ran).summary == LIES
    assert writes(operator) == before
    assert server.power


def test_a_bmc_that_says_on_for_ever_is_told_by_its_chassis(operator: Operator) -> None:
    """The machine is off, nothing is seen of it, and the chassis says so; without one nobody knows."""
    server = server_of(operator)
    server.trouble = Trouble(chassis="follows", switch_is_dead=True)
    while_(operator, lambda server: True)
    operator.write(cluster(operator.rack))
    failure = failed(operator.apply())

    assert "likely: its BMC says that it is on, and it is off: its chassis 1 says so" in failure.detail
    assert server.inserted is None


def test_a_chassis_that_says_on_for_ever_is_no_witness(operator: Operator) -> None:
    """Some do, whatever the machine does; a host with one is made and given back like others."""
    operator.write(cluster(operator.rack))
    made = operator.apply()

    assert made.complete, made.text
    gone = operator.destroy()
    assert gone.complete, gone.text
    assert server_of(operator).inserted is None
