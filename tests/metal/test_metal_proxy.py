"""Racked servers at a site that has a DHCP server: it gives out addresses, knows nothing of booting, and stays.

prov's own says what to boot, and nothing else. Firmware, both servers, TFTP, iPXE and HTTP are real; the site's
server is another dnsmasq, on a computer of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from beds.ipmi.peer import fru
from beds.ipmi.sim import PASSWORD, USER, Sim
from beds.metal import chassis
from beds.metal.computers import computer
from beds.metal.front import Front
from beds.metal.ground import GATEWAY, Ground, disk_of
from beds.metal.machines import Machine
from beds.metal.projects import ENVIRON, assert_given_back, rack
from fakes.yard import Peer, Yard

pytestmark = [pytest.mark.metal, pytest.mark.timeout(1200)]

SITE, SITE_CARD = "10.77.0.3", "eth0"
PXE_OFF = {"opt/org.tianocore/IPv4PXESupport": "n", "opt/org.tianocore/IPv6PXESupport": "n"}


def test_servers_boot_beside_the_dhcp_server_of_the_site(
    ground: Ground, yard: Callable[..., Yard], peer: Peer
) -> None:
    """One by PXE and one by HTTP, both by UEFI: installed, booted from their disks, healthy; then off."""
    pxe = ground.add("r41u1", 41)
    web = ground.add("r42u1", 42, firmware=PXE_OFF)
    addresses = {pxe.name: ground.redfish(pxe), web.name: ground.redfish(web)}
    one = yard(environ=ENVIRON)
    front = Front(GATEWAY, 8101, web.bmc, ground.certificate)
    by_pxe = {"bmc": addresses[pxe.name], "boot": ["network"], "trust": "network"}
    by_http = {"bmc": f"redfish+http://{GATEWAY}:{front.port}", "boot": ["http"], "trust": "network"}
    rows = {pxe.name: by_pxe, web.name: by_http}
    file = rack(ground, peer, [pxe, web], rows, dhcp={"interface": "br0", "proxy": "10.77.0.0"})
    file["pools"] = {"control": _pool("controlplane", pxe), "workers": _pool("worker", web)}
    one.write(file)

    with computer("site", SITE) as within, ground.dhcp(within, SITE_CARD) as log, front:
        assert "healthy" in one.prov("apply", "--yes")
        for host, first in ((pxe, "config from url http"), (web, "config from url http")):
            said = [host.told(text) for text in (first, "installed /dev/sda", "config from disk")]
            assert (host.name, said) == (host.name, [1, 1, 1])
            assert _given(log.read_text(), host) == {host.address}
        assert [url for url in front.urls if url.endswith("/r42u1.efi")] == front.urls != []
        assert "no changes" in one.prov("plan")
        one.prov("destroy", "--yes")
    for host in (pxe, web):
        assert_given_back(ground, host)
        ground.remove(host.name)


def test_an_old_bios_boots_beside_it_as_well(
    ground: Ground, yard: Callable[..., Yard], peer: Peer, tmp_path: Path
) -> None:
    """By the iPXE in its network card, which asks as a BIOS does; to the end of the installation.

    No further: what the stand-in image writes to a disk boots by UEFI.
    """
    host = Machine("r43u1", 43, ground.folder, bios=True)
    one = yard(environ=ENVIRON)
    switch = chassis.script(host, disk_of(host.name))
    with (
        Sim(tmp_path / "ipmi", fru("prov", "bed", host.serial), script=switch) as sim,
        computer("site", SITE) as within,
        ground.dhcp(within, SITE_CARD) as log,
    ):
        address = f"{sim.address}?mode=bios"
        row = {"bmc": address, "username": USER, "password": PASSWORD, "uuid": "", "trust": "network"}
        one.write(rack(ground, peer, [host], {host.name: row}, dhcp={"interface": "br0", "proxy": "10.77.0.0"}))

        point = "apply create metal.host/control-1 booting after:Pending:parted 1"
        assert one.killed(point, "apply", "--yes"), one.heard
        assert "is off" in sim.tool("chassis", "power", "status")
        assert _given(log.read_text(), host) == {host.address}
    said = [host.told(text) for text in ("SeaBIOS", "config from url http", "installed /dev/sda")]
    assert (said[0] > 0, said[1:]) == (True, [1, 1])


def _pool(role: str, host: Machine) -> dict[str, object]:
    """One node on this host, which has its address from the site's server, now and later."""
    return {"role": role, "provider": "rack", "count": 1, "hosts": [host.name]}


def _given(log: str, host: Machine) -> set[str]:
    """The addresses that the site's server gave to a host, by its log."""
    return set(re.findall(rf"DHCPACK\({SITE_CARD}\) (\S+) {host.mac}", log))
