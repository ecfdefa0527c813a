"""Racked servers at a site that has a DHCP server: it gives out addresses, knows nothing of booting, and stays.

prov's own says what to boot, and nothing else. Firmware, both servers, TFTP, iPXE and HTTP are real; the site's
server is another dnsmasq, on a computer of its own.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from beds.metal.computers import computer
from beds.metal.front import Front
from beds.metal.ground import GATEWAY, Ground, given
from beds.metal.machines import Machine
from beds.metal.projects import ENVIRON, rack
from fakes.yard import Peer, Yard

pytestmark = [pytest.mark.metal, pytest.mark.timeout(1200)]

SITE, SITE_CARD = "10.77.0.3", "eth0"
PXE_OFF = {"opt/org.tianocore/IPv4PXESupport": "n", "opt/org.tianocore/IPv6PXESupport": "n"}


def test_servers_boot_beside_the_dhcp_server_of_the_site(
    ground: Ground, yard: Callable[..., Yard], peer: Peer
) -> None:
    """One by PXE and one by HTTP, both by UEFI: installed, booted from their disks, healthy."""
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
            assert given(log, host) == {host.address}
        assert [url for url in front.urls if url.endswith("/r42u1.efi")] == front.urls != []
    for host in (pxe, web):
        ground.remove(host.name)


def _pool(role: str, host: Machine) -> dict[str, object]:
    """One node on this host, which has its address from the site's server, now and later."""
    return {"role": role, "provider": "rack", "count": 1, "hosts": [host.name]}
