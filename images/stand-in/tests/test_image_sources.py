"""Where a machine gets its configuration from. These boot the kernel directly, which saves the firmware's time."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import serialization
from fakes.stand_in import Bed, Vm, config
from fakes.talos_client import Secrets, Talos
from prov_metal.console import key_on

from provisioner.talos.api.identity import key_of

pytestmark = [pytest.mark.image, pytest.mark.timeout(900)]


def direct(bed: Bed, arguments: str) -> tuple[str, ...]:
    """QEMU's arguments to boot the kernel with these arguments, without a boot loader."""
    line = f"console=ttyS0 quiet loglevel=3 panic=5 {arguments}"
    kernel, pieces = bed.artifact("kernel-amd64"), bed.artifact("initramfs-amd64.xz")
    return ("-kernel", str(kernel), "-initrd", str(pieces), "-append", line)


def told(vm: Vm) -> str:
    """The digest of the configuration that the machine says it has."""
    return vm.console.expect("config from").rpartition(" ")[2]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def text(bed: Bed, made_secrets: Secrets) -> str:
    return config(bed, made_secrets, "controlplane", "cp-1", "10.0.2.15")


def test_a_url_with_the_machine_in_its_query(bed: Bed, text: str) -> None:
    """`talos.config=URL` is tried while it is missing, with ${uuid}, ${mac} and ${serial} filled in."""
    uuid = "8c0e6a54-0a0f-4e4c-9d8e-8f3d0c0a77aa"
    url = f"{bed.url}/node.yaml?u=${{uuid}}&m=${{mac}}&s=${{serial}}"
    more = ("-uuid", uuid, *direct(bed, f"talos.platform=metal talos.config={url}"))
    vm = bed.vm("url", serial_number="S-1", more=more).start()
    vm.console.expect("status 404; again in 1 s")
    (bed.folder / "node.yaml").write_text(text)

    assert told(vm) == digest(text)
    assert bed.requests[-1] == f"/node.yaml?m=52%3A54%3A00%3A12%3A34%3A56&s=S-1&u={uuid}"
    vm.console.expect("stage installing")


def test_nocloud_by_the_serial_number(bed: Bed, text: str) -> None:
    """The serial number's `ds=nocloud;s=URL` leads to `user-data` below that URL."""
    (bed.folder / "seed").mkdir()
    (bed.folder / "seed/user-data").write_text(text)
    serial = f"ds=nocloud;s={bed.url}/seed/;h=from-serial"
    vm = bed.vm("serial", serial_number=serial, more=direct(bed, "talos.platform=nocloud")).start()

    assert told(vm) == digest(text)
    vm.console.expect("stage booting")


def test_a_config_drive(bed: Bed, text: str) -> None:
    """OpenStack's volume `config-2` has it as user_data."""
    drive = bed.volume("config-2", {"openstack/latest/user_data": text, "openstack/latest/meta_data.json": "{}"})
    vm = bed.vm("drive", media=[drive], more=direct(bed, "talos.platform=openstack")).start()

    assert told(vm) == digest(text)


def test_static_addresses_of_a_cidata_volume(bed: Bed, text: str) -> None:
    """The volume's network-config is how the network is set up."""
    network = (
        "version: 2\nethernets:\n  eth0:\n    addresses: [10.0.2.77/24]\n    routes: [{to: default, via: 10.0.2.2}]\n"
    )
    volume = bed.volume("cidata", {"user-data": text, "meta-data": "{}\n", "network-config": network})
    vm = bed.vm("cidata", media=[volume], more=direct(bed, "talos.platform=nocloud")).start()
    vm.console.expect("network eth0 10.0.2.77/24")

    assert told(vm) == digest(text)


def test_without_any_it_waits_in_maintenance(bed: Bed, made_secrets: Secrets, text: str) -> None:
    """The API is open to anybody, tells that it is a stand-in, and takes a configuration.

    Its console shows the fingerprint of its key, in the words of Talos.
    """
    vm = bed.vm("none", more=direct(bed, "talos.platform=metal")).start()
    vm.console.expect("config none")
    vm.console.expect("stage maintenance")
    key = key_on(vm.console.expect("server certificate issued"))
    print(f"maintenance {vm.seconds} s after power-on, without firmware; resident {vm.resident_mib} MiB")
    stranger = Talos("127.0.0.1", port=vm.port)
    version = stranger.get("Versions.runtime.talos.dev", "version")
    assert version == {"version": "v1.13.9", "name": "prov stand-in, not Talos"}
    assert stranger.call("Version").messages[0].version.sha == "prov-stand-in"
    assert key == key_of(stranger.peer().public_bytes(serialization.Encoding.DER))
    cards = stranger.list("LinkStatuses.net.talos.dev", "network")
    assert cards["eth0"]["permanentAddr"].startswith("52:54:00:")

    stranger.apply(text)
    vm.console.expect("install failed: there is no boot medium")


def test_a_refused_configuration_leaves_no_api(bed: Bed) -> None:
    """User-data that is wrong is told on the console, as on Talos, and no API opens."""
    volume = bed.volume("cidata", {"user-data": "machine: {type: nonsense}\n", "meta-data": "{}\n"})
    vm = bed.vm("wrong", media=[volume], more=direct(bed, "talos.platform=nocloud")).start()
    vm.console.expect("user-data refused")

    assert not vm.console.saw("stage maintenance")
