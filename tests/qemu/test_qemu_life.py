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
from fakes.talos_admin import admin_of
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


def test_the_life_of_a_cluster(yard: Callable[..., Yard], peer: Peer) -> None:
    """Made from an Image Factory, mended after a machine was killed, removed; `make demo-vm` has the upgrade.

    The control plane finds its configuration on a drive, the worker is handed it over HTTP.
    """
    one = yard()
    one.write(cluster(peer))
    assert "healthy" in one.prov("apply", "--yes")
    assert any("/image/" in path and path.endswith("/nocloud-amd64.raw.xz") for path in peer.requests)
    assert "no changes" in one.prov("plan")
    assert sorted(one.processes().values()) == ["control-1", "switch", "workers-1"]
    assert one.records("image") == one.records("image")[:1]

    one.console("vms", "control-1").expect("config from cidata")
    one.console("vms", "workers-1").expect("config from url", "config from nocloud")

    number = next(number for number, name in one.processes().items() if name == "workers-1")
    os.kill(number, signal.SIGKILL)
    drift = one.prov("plan", code=2)
    assert 'power: "off" → "on"' in drift
    assert "healthy" in one.prov("apply", "--yes")

    one.prov("qemu", "snapshot", "take", "vms", "workers-1", "before")
    assert one.prov("qemu", "snapshot", "list", "vms", "workers-1").split() == ["before"]

    one.prov("destroy", "--yes")
    assert one.processes() == {}
    assert not list((one.folder / "vms" / "clusters").glob("[!.]*"))


def test_a_machine_installs_itself_from_an_iso_until_the_disk_is_full(
    yard: Callable[..., Yard], peer: Peer, small: Path
) -> None:
    """It finds its configuration on a second drive, writes itself to an empty disk, and boots from that.

    When the disk below it is full, qemu stops it; the plan says so, and apply lets it go on once there is room.
    """
    one = yard()
    (one.folder / "vms").symlink_to(small)
    one.write(cluster(peer, workers=0, boot="iso", config="metal-iso", overcommit=True))
    assert "healthy" in one.prov("apply", "--yes")
    said = one.console("vms", "control-1").expect
    for text in ("config from metal-iso", "installed /dev/sda", "boot slot a", "stage running"):
        said(text)

    filler = small / "filler"
    with filler.open("wb") as file, contextlib.suppress(OSError):
        while file.write(bytes(2**20)):
            file.flush()
    client = admin_of(one.folder, "vms", one.host("vms", "control-1"))
    with contextlib.suppress(OSError, GRPCError, TimeoutError, StreamTerminatedError):
        client.call("Upgrade", machine_pb2.UpgradeRequest(image=peer.installer("v1.13.10", "metal")))
    assert 'power: "halted" → "on"' in one.prov("plan", code=2)
    assert "make room" in one.prov("apply", "--yes", code=1)
    filler.unlink()
    assert "healthy" in one.prov("apply", "--yes")
    one.prov("destroy", "--yes")
    assert one.processes() == {}
