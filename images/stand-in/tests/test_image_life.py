"""One machine from its first boot to its end, on a real disk of a real virtual machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakes.stand_in import BOOTSTRAP, SCHEMATIC, Bed, admin, config, installer, ready, until
from fakes.talos_client import Secrets, Talos
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from provisioner.talos.api._wire import machine_pb2

pytestmark = [pytest.mark.image, pytest.mark.timeout(900)]


def version(client: Talos) -> str:
    return str(client.call("Version").messages[0].version.tag)


def upgrade(client: Talos, image: str) -> None:
    client.call("Upgrade", machine_pb2.UpgradeRequest(image=image))


def refusal(call: Any) -> tuple[Status, str]:
    with pytest.raises(GRPCError) as caught:
        call()
    return caught.value.status, str(caught.value.message)


def test_the_life_of_a_machine(bed: Bed, made_secrets: Secrets, tmp_path: Path) -> None:
    """Configured from a CD it installs itself, keeps what it has, moves to the other slot, falls back, goes back."""
    text = config(bed, made_secrets, "controlplane", "cp-1", "127.0.0.1")
    media = [bed.artifact("metal-amd64.iso"), bed.volume("metal-iso", {"config.yaml": text})]
    vm = bed.vm("cp1", media=media).start()
    said = vm.console.expect
    said("prov stand-in, not Talos v1.13.9 metal begins")
    said("boot slot none")
    said("config from metal-iso sha256")
    said("installed /dev/sda")
    print(f"installed {vm.seconds} s after power-on")
    said("boot slot a")
    said("config from disk sha256")
    client = admin(vm, made_secrets, tmp_path)
    said("stage booting")
    until(lambda: client.call("ServiceList"))
    print(f"API {vm.seconds} s after power-on, by way of an installation")
    bootstrap(client)
    until(lambda: ready(vm, made_secrets, tmp_path))
    print(f"ready {vm.seconds} s after power-on, resident {vm.resident_mib} MiB of {vm.memory_mib}")
    member = next(iter(client.members().values())).id

    upgrade(client, installer("v1.13.10"))
    said("upgrade written to slot b")
    said("prov stand-in, not Talos v1.13.10 metal begins")
    said("boot slot b")
    said("slot b is good")
    until(lambda: ready(vm, made_secrets, tmp_path))
    assert version(client) == "v1.13.10"
    assert next(iter(client.members().values())).id == member

    client.call("Rollback", machine_pb2.RollbackRequest())
    said("rollback to slot a")
    said("prov stand-in, not Talos v1.13.9 metal begins")
    said("slot a is good")
    until(lambda: ready(vm, made_secrets, tmp_path))

    for flaw in ("v1.13.99", "v1.13.98"):
        upgrade(client, installer(flaw))
        said(f"prov stand-in, not Talos {flaw} metal begins")
        said("on purpose")
        said("prov stand-in, not Talos v1.13.9 metal begins")
        said("boot slot a")
        until(lambda: ready(vm, made_secrets, tmp_path))
    assert version(client) == "v1.13.9"

    damaged(bed)
    status, why = refusal(lambda: upgrade(client, installer("v1.13.10")))
    assert (status, "checksum" in why) == (Status.FAILED_PRECONDITION, True)
    assert "v1.13.77" in refusal(lambda: upgrade(client, installer("v1.13.77")))[1]

    client.reset(graceful=False, reboot=True)
    said("wiped EPHEMERAL")
    said("wiped STATE")
    said("boot slot a")
    said("config from metal-iso")
    client = admin(vm, made_secrets, tmp_path)
    until(lambda: client.call("ServiceList"))
    client.call("Shutdown", machine_pb2.ShutdownRequest())
    said("power off")
    vm.console.wait_end()


def bootstrap(client: Talos) -> None:
    """Bootstraps, as soon as the machine is able to."""

    def look() -> bool:
        try:
            client.call("Bootstrap", BOOTSTRAP)
        except GRPCError as err:
            if err.status != Status.FAILED_PRECONDITION:
                raise
            return False
        return True

    until(look)


def damaged(bed: Bed) -> None:
    """Lets the server flip a byte in a layer of v1.13.10."""
    repository = bed.factory / "v2/metal-installer" / SCHEMATIC
    manifest = json.loads((repository / "manifests/v1.13.10").read_bytes())
    bed.broken.add(str(manifest["layers"][0]["digest"]))
