"""Clusters of real virtual machines, from one file to healthy and back to nothing.

The machines run the stand-in image: what is held to account here is the provider, not Talos.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from fakes.talos_admin import Admin, admin_of
from fakes.yard import Peer, Yard

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
        "talos": {"version": "v1.13.9"},
        "kubernetes": {"version": "v1.36.3"},
        "providers": {
            "qemu": {
                "bus": "scsi",
                "accelerator": "tcg",
                "image": peer.artifact(f"{settings.pop('artifact', 'nocloud-amd64.raw.xz')}"),
                **settings,
            }
        },
        "endpoint": "auto",
        "pools": pools,
    }


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
    one.write(cluster(peer, workers=0, boot="iso", config="metal-iso", artifact="metal-amd64.iso"))
    assert "healthy" in one.prov("apply", "--yes")
    said = one.console("vms", "control-1").expect
    said("config from metal-iso")
    said("installed /dev/sda")
    said("boot slot a")
    said("stage running")
    one.prov("destroy", "--yes")
    assert one.processes() == {}
