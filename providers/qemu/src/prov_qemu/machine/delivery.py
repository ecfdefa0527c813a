"""The ways in which a machine is given its configuration at birth, besides Talos's maintenance API.

| way | what carries it | who looks there |
| --- | --- | --- |
| `nocloud` | a drive labelled `cidata` | images of the platform `nocloud` |
| `smbios` | HTTP, at the address in the serial number | images of the platform `nocloud` |
| `metal-iso` | a drive labelled `metal-iso` | images of the platform `metal` |
| `url` | HTTP, at the address in the kernel's arguments | images of the platform `metal` |
| `none` | nothing: the machine waits in maintenance mode | any |

Arguments of the kernel go through the firmware, which systemd-stub heeds since release 254 unless Secure Boot is on.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import field, frozen

from prov_qemu.machine.iso import iso
from prov_qemu.network.addresses import DELIVERY, GATEWAY, inside
from prov_qemu.records import write_whole

PLATFORMS: Final[Mapping[str, str]] = {
    "nocloud": "nocloud",
    "smbios": "nocloud",
    "metal-iso": "metal",
    "url": "metal",
    "none": "metal",
}
"""The ways, and the platform whose images look there."""
CONFIGURATION: Final = "configuration.iso"
HANDED: Final = "handed"


@frozen
class Carrier:
    """What a way takes: files of a drive with a label, or files to be had over HTTP, and what the firmware says."""

    label: str = ""
    drive: Mapping[str, bytes] = field(factory=dict, repr=False)
    handed: Mapping[str, bytes] = field(factory=dict, repr=False)
    serial: str = ""
    arguments: tuple[str, ...] = ()


def carrier(way: str, *, name: str, id_: str, user_data: str, subnet: str, static: Mapping[str, str]) -> Carrier:
    """What carries a configuration.

    user_data  the configuration, empty where it is not at hand any more
    static     the machine's fixed addresses by what they are, empty where it asks for them with DHCP
    """
    data = user_data.encode()
    about = f"instance-id: {id_}\nlocal-hostname: {name}\n".encode()
    server = f"http://{inside(subnet, DELIVERY)}"
    cloud = {"user-data": data, "meta-data": about}
    if static:
        cloud["network-config"] = _network_config(subnet, static)
    match way:
        case "nocloud":
            return Carrier(label="cidata", drive=cloud)
        case "smbios":
            return Carrier(handed=cloud, serial=f"ds=nocloud-net;s={server}/")
        case "metal-iso":
            return Carrier(label="metal-iso", drive={"config.yaml": data}, arguments=("talos.config=metal-iso",))
        case "url":
            return Carrier(handed={"config.yaml": data}, arguments=(f"talos.config={server}/config.yaml",))
        case _:
            return Carrier()


def put_down(carrier: Carrier, folder: Path) -> None:
    """Writes what the machine is to find, where its command looks for it; raises OSError."""
    if carrier.drive:
        write_whole(folder / CONFIGURATION, iso(carrier.label, carrier.drive))
    if carrier.handed:
        (folder / HANDED).mkdir(mode=0o700, exist_ok=True)
        for name, data in carrier.handed.items():
            write_whole(folder / HANDED / name, data)


def hand_out(carrier: Carrier, folder: Path) -> tuple[str, ...]:
    """The command that answers the machine's requests; none where it makes none."""
    if not carrier.handed:
        return ()
    return (sys.executable, "-P", "-m", "prov_qemu.network.deliver", str(folder / HANDED))


def _network_config(subnet: str, static: Mapping[str, str]) -> bytes:
    """Version 1 of cloud-init's network configuration, which Talos reads."""
    prefix = subnet.partition("/")[2]
    lines = [
        "version: 1",
        "config:",
        "  - type: physical",
        "    name: eth0",
        f"    mac_address: '{static['mac']}'",
        "    subnets:",
        "      - type: static",
        f"        address: {static['ip']}/{prefix}",
        f"        gateway: {inside(subnet, GATEWAY)}",
        "  - type: nameserver",
        f"    address: [{static['resolver']}]",
    ]
    return ("\n".join(lines) + "\n").encode()
