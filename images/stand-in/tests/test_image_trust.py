"""A real machine that waits for its configuration, its key read from its serial console, with somebody in between."""

from __future__ import annotations

import os

import pytest
from beds.maintenance.relay import Relay
from fakes.stand_in import Bed, config
from fakes.talos_client import Secrets
from prov_metal.console import key_on

from provisioner.talos.api import maintenance

pytestmark = [pytest.mark.image, pytest.mark.timeout(900)]

HERE = f"127.42.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"


def test_the_key_on_the_console_is_the_one_that_gets_the_configuration(bed: Bed, made_secrets: Secrets) -> None:
    """Who relays hears nothing, and the machine has no configuration; then it is handed over straight."""
    text = config(bed, made_secrets, "controlplane", "cp-1", "127.0.0.1")
    kernel, pieces = bed.artifact("kernel-amd64"), bed.artifact("initramfs-amd64.xz")
    line = "console=ttyS0 quiet loglevel=3 panic=5 talos.platform=metal"
    vm = bed.vm("key", more=("-kernel", str(kernel), "-initrd", str(pieces), "-append", line)).start()
    key = key_on(vm.console.expect("server certificate issued"))

    with Relay(HERE, "127.0.0.1", port=vm.port) as between:
        with pytest.raises(maintenance.AnotherKey):
            maintenance.hand_over(HERE, text, key)
        assert between.told() == b""
    assert not vm.console.saw("install")
    with Relay(HERE, "127.0.0.1", port=vm.port, honest=99):
        assert maintenance.facts(HERE, key).stage == "maintenance"
        maintenance.hand_over(HERE, text, key)
    vm.console.expect("install failed: there is no boot medium")
