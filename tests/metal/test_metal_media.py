"""Racked servers from off to a healthy cluster and back to off, by virtual media of BMCs that speak Redfish.

The machines are real, with firmware, disks and boots of their own, and run the stand-in image. What came of it is
told by libvirt, by their BMCs when asked by somebody else, and by their consoles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from beds.metal.ground import Ground, has_partitions
from beds.metal.projects import ENVIRON, assert_given_back, rack, system
from fakes.yard import Peer, Yard

pytestmark = [pytest.mark.metal, pytest.mark.timeout(1200)]

BEGINS = "prov stand-in, not Talos v1.13.9 metal begins"


def test_three_servers_become_a_cluster_and_are_given_back(
    ground: Ground, yard: Callable[..., Yard], peer: Peer
) -> None:
    """Off, disc in, booted, installed, booted from their disks, healthy; then off, empty, and as before.

    Nothing of Talos stays on any of them; of one the plan says so, for its row names the disk.
    """
    hosts = [ground.add(f"r{number}u1", number) for number in (11, 12, 13)]
    one = yard(environ=ENVIRON)
    rows: dict[str, dict[str, Any]] = {host.name: {"bmc": ground.redfish(host)} for host in hosts}
    rows[hosts[0].name]["wipe"] = ["/dev/sda"]
    one.write(rack(ground, peer, hosts, rows))
    assert [host.on() for host in hosts] == [False, False, False]

    with ground.dhcp():
        assert "healthy" in one.prov("apply", "--yes")
        for host in hosts:
            said = [host.told(text) for text in (BEGINS, "from metal-iso", "installed /dev/sda", "from disk")]
            assert (host.name, said) == (host.name, [2, 1, 1, 1])
            assert (host.on(), host.disc()) == (True, "")
            assert system(ground, host, "/VirtualMedia/Cd")["Inserted"] is False
            assert host.boots_from()[0] in ("hd", "disk")
        assert "no changes" in one.prov("plan")
        assert "erases /dev/sda" in one.prov("destroy", "--yes")
    for host in hosts:
        assert_given_back(ground, host)
    assert [has_partitions(host.name) for host in hosts] == [False, False, False]
    for host in hosts:
        ground.remove(host.name)


STEPS = (
    "apply create {} - after:Pending:stopped",
    "settle create {} stopped after:Pending:loaded",
    "settle create {} loaded after:Pending:armed",
    "settle create {} armed after:Pending:starting",
    "settle create {} armed after:Pending:booting",
    "settle create {} booting after:Pending:booting",
    "apply create {} booting after:Pending:parted",
    "settle create {} parted after:Pending:parted",
    "settle create {} parted after:Pending:from-disk",
    "settle create {} from-disk after:Pending:up",
    "settle create {} up after:Done",
)
"""The moment after every step of a host's way, when what it did is done and not yet on record.

It is off for longer than settling waits before it is believed to be, so the plan goes on with that one.
"""


def test_a_run_that_is_killed_at_every_step_installs_once(
    ground: Ground, yard: Callable[..., Yard], peer: Peer
) -> None:
    """The next run goes on where the last one was killed; the machine starts twice, and its disk is written once."""
    host = ground.add("r21u1", 21)
    one = yard(environ=ENVIRON)
    one.write(rack(ground, peer, [host], {host.name: {"bmc": ground.redfish(host)}}))

    with ground.dhcp():
        for step in STEPS:
            point = step.format("metal.host/control-1") + " 1"
            assert one.killed(point, "apply", "--yes"), f"{point} was not passed:\n{one.heard}"
        assert "healthy" in one.prov("apply", "--yes")
        said = [host.told(text) for text in (BEGINS, "from metal-iso", "installed /dev/sda", "from disk")]
        assert said == [2, 1, 1, 1]
        assert (host.on(), host.disc()) == (True, "")
        one.prov("destroy", "--yes")
    assert_given_back(ground, host)
    ground.remove(host.name)
