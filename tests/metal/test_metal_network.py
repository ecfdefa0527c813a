"""Racked servers that boot over the network: one by PXE behind a BMC that speaks IPMI, one by HTTP and Redfish.

Firmware, DHCP, TFTP, iPXE and HTTP are real; DHCP is prov's own, for this network has no other. Nobody vouches for a
network: the first host is handed its configuration once its key was read on its serial console, through its BMC, and
the other one says `trust: network`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from beds.ipmi.peer import fru
from beds.ipmi.sim import PASSWORD, USER, Sim
from beds.metal import chassis
from beds.metal.front import Front
from beds.metal.ground import GATEWAY, Ground, disk_of
from beds.metal.machines import Machine
from beds.metal.projects import ENVIRON, assert_given_back, rack
from fakes.yard import Peer, Yard

pytestmark = [pytest.mark.metal, pytest.mark.timeout(1200)]

PXE_OFF = {"opt/org.tianocore/IPv4PXESupport": "n", "opt/org.tianocore/IPv6PXESupport": "n"}


def test_servers_boot_by_pxe_and_by_http(
    ground: Ground, yard: Callable[..., Yard], peer: Peer, tmp_path: Path
) -> None:
    """Off, image by its own way, installed, booted from their disks, healthy; then off. Each is installed once."""
    pxe = Machine("r31u1", 31, ground.folder)
    web = ground.add("r32u1", 32, firmware=PXE_OFF)
    redfish = ground.redfish(web)
    front = Front(GATEWAY, 8100, web.bmc, ground.certificate)
    one = yard(environ=ENVIRON)
    switch = chassis.script(pxe, disk_of(pxe.name))
    with (
        chassis.Cable(pxe) as cable,
        Sim(tmp_path / "ipmi", fru("prov", "bed", pxe.serial), cable.port, script=switch) as sim,
        front,
    ):
        by_pxe = {"bmc": sim.address, "username": USER, "password": PASSWORD, "uuid": "", "trust": "console"}
        by_http = {"bmc": f"redfish+http://{GATEWAY}:{front.port}", "boot": ["http"], "trust": "network"}
        file = rack(
            ground,
            peer,
            [pxe, web],
            {pxe.name: by_pxe, web.name: by_http},
            dhcp={"interface": "br0", "range": "10.77.0.200,10.77.0.220"},
        )
        file["pools"] = {
            "control": pool("controlplane", pxe),
            "workers": pool("worker", web),
        }
        one.write(file)
        assert "is off" in sim.tool("chassis", "power", "status")

        assert "healthy" in one.prov("apply", "--yes")
        for host, first in ((pxe, "config none"), (web, "config from url http")):
            said = [host.told(text) for text in (first, "installed /dev/sda", "config from disk")]
            assert (host.name, said) == (host.name, [1, 1, 1])
        assert pxe.told("iPXE initialising devices") >= 1
        assert "is on" in sim.tool("chassis", "power", "status")
        assert web.on()
        assert [url for url in front.urls if url.endswith("/r32u1.efi")] == front.urls != []
        assert "no changes" in one.prov("plan")
        one.prov("destroy", "--yes")
        assert "is off" in sim.tool("chassis", "power", "status")
    assert_given_back(ground, web)
    ground.remove(web.name)
    assert redfish


def pool(role: str, host: Machine) -> dict[str, object]:
    """One node on this host, with an address of its own: once it is installed, DHCP knows it no longer."""
    return {
        "role": role,
        "provider": "rack",
        "count": 1,
        "hosts": [host.name],
        "machine": {"links": {"eth0": {"addresses": [f"{host.address}/24"]}}},
    }
