"""Racked servers from off to a healthy cluster and back to off, by virtual media of BMCs that speak Redfish.

The machines are real, with firmware, disks and boots of their own, and run the stand-in image. What came of it is
told by libvirt, by their BMCs when asked by somebody else, and by their consoles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from beds.metal.ground import GATEWAY, PASSWORD, USERNAME, Ground
from beds.metal.machines import Machine
from fakes.yard import Peer, Yard

pytestmark = [pytest.mark.metal, pytest.mark.timeout(1200)]

SERVE = f"{GATEWAY}:8069"


def rack(ground: Ground, peer: Peer, hosts: list[Machine], **more: Any) -> dict[str, Any]:
    """A cluster file with an inventory of these machines, each with a BMC."""
    rows = {
        host.name: {
            "bmc": ground.redfish(host),
            "address": host.address,
            "uuid": host.uuid,
            "macs": [host.mac],
            "rack": f"r{host.number}",
        }
        for host in hosts
    }
    provider = {"type": "metal", "inventory": rows, "username": USERNAME, "password": "${env.BMC_PASSWORD}"}
    provider |= {"ca": str(ground.certificate), "serve": SERVE}
    return {
        "version": 1,
        "name": "rack",
        "talos": {"version": "v1.13.9", "factory": peer.url},
        "kubernetes": {"version": "v1.36.3"},
        "providers": {"rack": provider},
        "endpoint": hosts[0].address,
        "pools": {"control": {"role": "controlplane", "provider": "rack", "count": len(hosts)}},
        **more,
    }


def slot(ground: Ground, host: Machine) -> dict[str, Any]:
    """The virtual CD drive, as the BMC tells a stranger with the password."""
    path = f"/redfish/v1/Systems/{host.uuid}/VirtualMedia/Cd"
    return host.redfish(path, ground.certificate, (USERNAME, PASSWORD))


def system(ground: Ground, host: Machine) -> dict[str, Any]:
    return host.redfish(f"/redfish/v1/Systems/{host.uuid}", ground.certificate, (USERNAME, PASSWORD))


def test_three_servers_become_a_cluster_and_are_given_back(
    ground: Ground, yard: Callable[..., Yard], peer: Peer
) -> None:
    """Off, disc in, booted, installed, booted from their disks, healthy; then off, empty, and as before."""
    hosts = [ground.add(f"r{number}u1", number) for number in (11, 12, 13)]
    one = yard(environ={"BMC_PASSWORD": PASSWORD}, patience_s=240.0)
    one.write(rack(ground, peer, hosts))
    ground.dhcp()
    assert [host.on() for host in hosts] == [False, False, False]

    assert "healthy" in one.prov("apply", "--yes")
    for host in hosts:
        for text in ("config from metal-iso", "installed /dev/sda", "config from disk"):
            assert (host.name, host.told(text)) == (host.name, 1)
        assert host.told("boot slot a") == 1
        assert host.on()
        assert host.disc() == ""
        assert slot(ground, host)["Inserted"] is False
        assert host.boots_from()[0] in ("hd", "disk")
    assert "no changes" in one.prov("plan")

    one.prov("destroy", "--yes")
    for host in hosts:
        assert not host.on()
        assert host.disc() == ""
        assert system(ground, host)["PowerState"] == "Off"
        assert slot(ground, host)["Inserted"] is False
        ground.remove(host.name)
