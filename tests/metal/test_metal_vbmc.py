"""A second opinion on IPMI: OpenStack's virtual BMC in front of libvirt, the driver, and `ipmitool`.

Whatever one of them does, the others and libvirt itself have to say the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from attrs import frozen
from beds.metal.ground import GATEWAY, PASSWORD, USERNAME, Ground
from beds.metal.machines import Machine, run
from fakes.stand_in import until
from prov_metal.bmc.access import Access
from prov_metal.bmc.address import parse
from prov_metal.bmc.driver import Bmc
from prov_metal.bmc.drivers import driver

from provisioner.sdk import OperatorNeeded, Secret

pytestmark = [pytest.mark.metal, pytest.mark.timeout(900)]

PORT = 6231


@frozen
class Behind:
    """A machine behind its BMC."""

    machine: Machine

    def driver(self, password: str = PASSWORD) -> Bmc:
        return driver(Access(parse(f"ipmi://{GATEWAY}:{PORT}"), USERNAME, Secret(password)))

    def tool(self, *words: str) -> str:
        """What ipmitool says."""
        given = ("-I", "lanplus", "-C", "3", "-H", GATEWAY, "-p", str(PORT), "-U", USERNAME, "-P", PASSWORD)
        return run("ipmitool", *given, *words)

    def power(self) -> tuple[bool, bool, bool]:
        """Whether it is on: by the driver, by ipmitool, and by libvirt."""
        return self.driver().facts().on, "is on" in self.tool("chassis", "power", "status"), self.machine.on()


@pytest.fixture(scope="module")
def behind(ground: Ground) -> Iterator[Behind]:
    machine = ground.add("r41u1", 41)
    folder = ground.folder / "vbmc"
    folder.mkdir()
    config = folder / "vbmc.conf"
    config.write_text(f"[default]\nconfig_dir={folder}\npid_file={folder / 'pid'}\n[log]\nlogfile={folder / 'log'}\n")
    environ = {**os.environ, "VIRTUALBMC_CONFIG": str(config)}
    daemon = ground.start("vbmcd", str(ground.tools / "vbmcd"), "--foreground", environ=environ)
    place = ("--address", GATEWAY, "--port", str(PORT), "--libvirt-uri", "qemu:///system")
    vbmc = ("env", f"VIRTUALBMC_CONFIG={config}", str(ground.tools / "vbmc"))
    until(lambda: (folder / "pid").exists(), 30.0)
    run(*vbmc, "add", machine.name, "--username", USERNAME, "--password", PASSWORD, *place)
    run(*vbmc, "start", machine.name)
    yield Behind(machine)
    ground.stop(daemon)
    ground.remove(machine.name)


def test_power_is_the_same_to_everybody(behind: Behind) -> None:
    """Switched by the driver, by ipmitool, and once more by the driver, which does nothing where nothing is to do."""
    assert behind.power() == (False, False, False)
    behind.driver().switch(on=True)
    assert behind.power() == (True, True, True)
    behind.tool("chassis", "power", "off")
    until(lambda: not behind.machine.on(), 30.0)
    assert behind.power() == (False, False, False)
    behind.tool("chassis", "power", "on")
    behind.driver().switch(on=True)
    assert behind.power() == (True, True, True)
    behind.driver().switch(on=False)
    assert behind.power() == (False, False, False)


def test_where_it_boots_from_is_the_same_to_everybody(behind: Behind) -> None:
    """The network, and the disk after that; libvirt has it as its boot order."""
    for source, said, order in (("network", "Force PXE", "network"), ("disk", "Hard-Drive", "hd")):
        behind.driver().boot_from(source)
        assert said in behind.tool("chassis", "bootparam", "get", "5")
        assert behind.machine.boots_from() == [order]


def test_a_wrong_password_is_told(behind: Behind) -> None:
    """By name, and with what to do about it."""
    with pytest.raises(OperatorNeeded, match="password"):
        behind.driver("not the one").facts()
