"""Clusters of real virtual machines, from one file to healthy and back to nothing.

The machines run the stand-in image: what is held to account here is the provider, not Talos.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.stand_in import SCHEMATIC
from fakes.talos_admin import Admin, admin_of
from fakes.yard import Peer, Yard
from grpclib.exceptions import GRPCError, StreamTerminatedError

from provisioner.talos.api._wire import machine_pb2

pytestmark = [pytest.mark.qemu, pytest.mark.timeout(900)]

SMALL = {"cpus": 1, "memory_mib": 512, "disk_gib": 1}


def cluster(peer: Peer, *, workers: int = 1, **settings: Any) -> dict[str, Any]:
    """A cluster file: machines begin as an image of the peer, which is an Image Factory as far as they can tell."""
    pools: dict[str, Any] = {"control": {"role": "controlplane", "provider": "qemu", "count": 1, **SMALL}}
    if workers:
        pools["workers"] = {"role": "worker", "provider": "qemu", "count": workers, **SMALL, "config": "smbios"}
    return {
        "version": 1,
        "name": "vms",
        "talos": {"version": "v1.13.9", "factory": peer.url, "registry": peer.registry},
        "kubernetes": {"version": "v1.36.3"},
        "providers": {"qemu": {"bus": "scsi", "accelerator": "tcg", **settings}},
        "endpoint": "auto",
        "pools": pools,
    }


def test_a_damaged_image_is_refused(yard: Callable[..., Yard], peer: Peer) -> None:
    """It arrives with another checksum than was published: nothing is started from it, and nothing of it is kept."""
    one = yard()
    name = "nocloud-amd64.raw.xz"
    one.write(cluster(peer, image=peer.artifact(name), image_sha256=peer.sha256(name)))
    peer.damaged.add(name)
    said = one.prov("apply", "--yes", code=3)
    assert "another checksum" in said
    assert one.records("machine") == []
    assert set(one.processes().values()) <= {"switch"}
    one.prov("destroy", "--yes")


def test_machines_that_do_not_fit_are_refused_before_anything_is_started(
    yard: Callable[..., Yard], peer: Peer
) -> None:
    """What is missing is told in numbers, and nothing was made or fetched."""
    one = yard()
    large = cluster(peer)
    large["pools"]["control"] |= {"disk_gib": 1024 * 1024}
    one.write(large)
    said = one.prov("apply", "--yes", code=3)
    assert "too little room on the disk" in said
    assert f"{1024 * 1024 * 1024 + 1024} MiB" in said
    assert [one.records(kind) for kind in ("network", "image", "disk", "machine")] == [[], [], [], []]
    assert one.processes() == {}


def test_a_full_disk_halts_a_machine_until_there_is_room(yard: Callable[..., Yard], peer: Peer, small: Path) -> None:
    """qemu stops the machine, the plan says so, and apply lets it go on once there is room."""
    one = yard(folder=small)
    one.write(cluster(peer, workers=0, overcommit=True))
    assert "healthy" in one.prov("apply", "--yes")
    filler = small / "filler"
    with filler.open("wb") as file, contextlib.suppress(OSError):
        while file.write(bytes(2**20)):
            file.flush()
    client = admin_of(one.folder, "vms", one.host("vms", "control-1"))
    with contextlib.suppress(OSError, GRPCError, TimeoutError, StreamTerminatedError):
        client.call("Upgrade", machine_pb2.UpgradeRequest(image=peer.installer("v1.13.10")))
    halted = one.prov("plan", code=2)
    assert 'power: "halted" → "on"' in halted
    full = one.prov("apply", "--yes", code=3)
    assert "make room" in full
    filler.unlink()
    assert "healthy" in one.prov("apply", "--yes")
    one.prov("destroy", "--yes")
    assert one.processes() == {}


def test_machines_hang_on_a_bridge_with_fixed_addresses(yard: Callable[..., Yard], peer: Peer, bridge: str) -> None:
    """In a network namespace that has a bridge and nothing else: no DHCP, no way out, one address for everybody."""
    one = yard(within=("ip", "netns", "exec", bridge))
    image = peer.factory / "image" / SCHEMATIC / "v1.13.9" / "nocloud-amd64.raw.xz"
    wanted = cluster(peer, workers=0, image=str(image), bridge=bridge, subnet="10.77.0.0/24")
    wanted["talos"] = {"version": "v1.13.9"}
    one.write(wanted)
    assert "healthy" in one.prov("apply", "--yes")
    assert one.host("vms", "control-1") == "10.77.0.10"
    one.console("vms", "control-1").expect("network eth0 10.77.0.10/24")
    one.prov("destroy", "--yes")
    assert one.processes() == {}


def version(client: Admin) -> str:
    return str(client.call("Version").messages[0].version.tag)


def test_the_life_of_a_cluster(yard: Callable[..., Yard], peer: Peer) -> None:
    """Made from an Image Factory, moved to the other slot and back, mended after a machine was killed, removed.

    The control plane finds its configuration on a drive, the worker is handed it over HTTP.
    """
    one = yard()
    one.write(cluster(peer))
    assert "healthy" in one.prov("apply", "--yes")
    assert any("/image/" in path and path.endswith("/nocloud-amd64.raw.xz") for path in peer.requests)
    assert "no changes" in one.prov("plan")
    assert sorted(one.processes().values()) == ["control-1", "switch", "workers-1"]
    assert one.records("image") == one.records("image")[:1]

    said = one.console("vms", "control-1").expect
    said("boot slot a")
    said("config from cidata")
    one.console("vms", "workers-1").expect("config from url", "config from nocloud")

    client = admin_of(one.folder, "vms", one.host("vms", "control-1"))
    client.call("Upgrade", machine_pb2.UpgradeRequest(image=peer.installer("v1.13.10")))
    said("upgrade written to slot b")
    said("v1.13.10 nocloud begins")
    said("slot b is good")
    said("stage running")
    assert version(client) == "v1.13.10"
    client.call("Rollback", machine_pb2.RollbackRequest())
    said("rollback to slot a")
    said("slot a is good")
    said("stage running")
    assert version(client) == "v1.13.9"
    one.prov("status")

    number = next(number for number, name in one.processes().items() if name == "workers-1")
    os.kill(number, signal.SIGKILL)
    drift = one.prov("plan", code=2)
    assert 'power: "off" → "on"' in drift
    assert "healthy" in one.prov("apply", "--yes")

    one.prov("qemu", "snapshot", "take", "vms", "workers-1", "before")
    assert one.prov("qemu", "snapshot", "list", "vms", "workers-1").split() == ["before"]

    one.prov("destroy", "--yes")
    assert one.processes() == {}
    assert not list((one.folder / "vms" / "clusters").glob("*"))


def test_a_machine_installs_itself_from_an_iso(yard: Callable[..., Yard], peer: Peer) -> None:
    """It finds its configuration on a second drive, writes itself to an empty disk, and boots from that."""
    one = yard()
    one.write(cluster(peer, workers=0, boot="iso", config="metal-iso"))
    assert "healthy" in one.prov("apply", "--yes")
    said = one.console("vms", "control-1").expect
    said("config from metal-iso")
    said("installed /dev/sda")
    said("boot slot a")
    said("stage running")
    one.prov("destroy", "--yes")
    assert one.processes() == {}
