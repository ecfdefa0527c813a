"""Making the machine and letting it live; apart, because its libraries are slow to load."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from prov_sim.machine.order import MODES, Order

from prov_standin import volumes
from prov_standin.console import say
from prov_standin.disk import SystemDisk
from prov_standin.machine import StandIn
from prov_standin.network import Network, links
from prov_standin.release import Release
from prov_standin.sources import Found, smbios
from prov_standin.world import World


def begin(image: Release, platform: str, slot: str, net: Network, found: Found | None) -> StandIn:
    """Switches the machine on."""
    world = World(net.addresses)
    order = Order(
        key="",
        lineage="",
        name=net.hostname,
        group="",
        role="",
        cpus=os.cpu_count() or 1,
        memory_mib=_memory_mib(),
        zone="",
        image=image.version,
        platform=platform if platform in MODES else "nocloud",
        disk=_disk(),
        user_data=found.text if found is not None and found.source != "disk" else "",
        time_scale=0.0,
        seed=0,
    )
    machine = StandIn(order, _identity(), net.own, world, image, slot)
    machine.more_names = tuple(
        text.partition("/")[0] for _, text in net.addresses if not text.startswith(net.own + "/")
    )
    say(f"machine {machine.id} address {machine.address}")
    machine.switch_on()
    return machine


def _identity() -> str:
    """A name for the hardware: the same at every boot."""
    told = smbios("product_uuid") or "".join(link.mac for link in links())
    return "m-" + hashlib.sha256(told.encode()).hexdigest()[:12]


def _disk() -> str:
    """The disk with the system on it, or else the first one."""
    system = SystemDisk.find()
    disks = [item.path for item in volumes.devices() if item.is_disk]
    return system.path if system is not None else next(iter(disks), "")


def _memory_mib() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) // 1024
    return 0
