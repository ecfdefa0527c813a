"""`make demo-vm`: the example of local machines, made real with the stand-in image, upgraded, rolled back, removed.

The machines are virtual ones that qemu runs, from the image that stands in for Talos; see images/stand-in.
The upgrade call is made by a client of this script's own: planned upgrades are no part of prov yet.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from fakes.talos_admin import admin_of  # noqa: E402
from fakes.yard import Peer, Yard, built, serving  # noqa: E402

from provisioner.talos.api._wire import machine_pb2  # noqa: E402

SMALL = {"cpus": 1, "memory_mib": 512, "disk_gib": 1}
CLUSTER = "local-vms"


def main() -> None:
    """The whole story; an AssertionError or a failed command ends it."""
    factory = built()
    with (
        tempfile.TemporaryDirectory(prefix="prov-demo-vm-") as folder,
        serving(factory) as peer,
        _yard(folder) as yard,
    ):
        yard.write(_adapted(peer))
        _run(yard, "keys", "create")
        _run(yard, "apply", "--yes")
        _run(yard, "plan")
        _run(yard, "qemu", "list")
        _upgrade(yard, peer)
        _measure(yard)
        _run(yard, "destroy", "--yes")
        assert not yard.processes(), f"left over: {yard.processes()}"
    _say("\nthe demo works, and nothing is left of it")


def _adapted(peer: Peer) -> dict[str, Any]:
    """The example, with small machines, and images from this computer."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "examples" / "local-vms" / "cluster.yaml").read_text())
    document["talos"] |= {"factory": peer.url, "registry": peer.registry}
    document["providers"]["qemu"] = {"bus": "scsi"}
    for pool in document["pools"].values():
        pool |= SMALL
    return document


def _upgrade(yard: Yard, peer: Peer) -> None:
    """The control plane moves to the other slot, and back."""
    client = admin_of(yard.folder, CLUSTER, yard.host(CLUSTER, "control-1"))
    said = yard.console(CLUSTER, "control-1").expect
    said("stage running")
    for what, request, version in (
        ("Upgrade", machine_pb2.UpgradeRequest(image=peer.installer("v1.13.10")), "v1.13.10"),
        ("Rollback", machine_pb2.RollbackRequest(), "v1.13.9"),
    ):
        _say(f"\n# {what} of control-1, to {version}")
        client.call(what, request)
        for text in ("boot slot", "is good", "stage running"):
            _say(f"  {said(text)}")
        found = client.call("Version").messages[0].version.tag
        assert found == version, f"it runs {found}"
    _run(yard, "status")


def _measure(yard: Yard) -> None:
    """From the start of the process to the API, on a disk that is installed already."""
    _run(yard, "qemu", "stop", "--now", CLUSTER, "workers-1")
    said = yard.console(CLUSTER, "workers-1", new=True).expect
    began = time.monotonic()
    _run(yard, "qemu", "start", CLUSTER, "workers-1")
    said("stage running")
    _say(f"\n# workers-1: {time.monotonic() - began:.1f} s from power-on to API ready")
    _run(yard, "qemu", "list")


def _run(yard: Yard, *words: str) -> None:
    """Runs a command for all to see."""
    _say(f"\n$ prov {' '.join(words)}")
    subprocess.run(
        [str(Path(sys.executable).with_name("prov")), *words], cwd=yard.folder, env=yard.environ, check=True
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextmanager
def _yard(folder: str) -> Iterator[Yard]:
    yard = Yard(Path(folder) / "demo")
    try:
        yield yard
    finally:
        yard.close()


if __name__ == "__main__":
    main()
