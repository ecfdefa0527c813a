"""Cluster files for the machines of the bed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from beds.metal.ground import GATEWAY, PASSWORD, USERNAME, Ground
from beds.metal.machines import Machine
from fakes.yard import Peer

SERVE: Final = f"{GATEWAY}:8069"
ENVIRON: Final = {"BMC_PASSWORD": PASSWORD}


def rack(
    ground: Ground, peer: Peer, hosts: list[Machine], rows: Mapping[str, Any], **settings: Any
) -> dict[str, Any]:
    """A cluster of control planes on these machines; `rows` have what an inventory says of each besides."""
    inventory = {
        host.name: {
            "address": host.address,
            "uuid": host.uuid,
            "macs": [host.mac],
            "rack": f"r{host.number}",
            **rows[host.name],
        }
        for host in hosts
    }
    provider = {
        "type": "metal",
        "inventory": inventory,
        "username": USERNAME,
        "password": "${env.BMC_PASSWORD}",
        "ca": str(ground.certificate),
        "serve": SERVE,
        "image": peer.artifact("metal-amd64.iso"),
        **settings,
    }
    return {
        "version": 1,
        "name": "rack",
        "talos": {"version": "v1.13.9", "factory": peer.url, "registry": peer.registry},
        "kubernetes": {"version": "v1.36.3"},
        "providers": {"rack": provider},
        "endpoint": hosts[0].address,
        "pools": {"control": {"role": "controlplane", "provider": "rack", "count": len(hosts)}},
    }


def system(ground: Ground, host: Machine, path: str = "") -> dict[str, Any]:
    """What the BMC of a machine tells a stranger with the password: of the system, or of what is below it."""
    return host.redfish(f"/redfish/v1/Systems/{host.uuid}{path}", ground.certificate, (USERNAME, PASSWORD))


def assert_given_back(ground: Ground, host: Machine) -> None:
    """The machine is off and its drive is empty, by libvirt and by its BMC."""
    assert (host.name, host.on(), host.disc()) == (host.name, False, "")
    assert system(ground, host)["PowerState"] == "Off"
    assert system(ground, host, "/VirtualMedia/Cd")["Inserted"] is False
