"""The rack's BMC says and does what the emulator of sushy-tools does, before the driver that is to meet both."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from beds.bmc.bed import BmcBed
from beds.rack.rack import PASSWORD, USER, Rack
from prov_metal.bmc.address import parse
from prov_metal.bmc.redfish import RedfishBmc
from prov_metal.bmc.wire import Access, Wire
from prov_metal.boot.blobs import Blob
from prov_metal.boot.server import place
from prov_metal.boot.service import BootService

from provisioner.sdk import ProviderError, Secret


@pytest.fixture
def disc(tmp_path: Path) -> Iterator[str]:
    """The URL of something to insert."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = BootService(place(f"127.0.0.1:{port}"))
    file = tmp_path / "disc"
    file.write_bytes(b"a disc")
    yield server.offer("r1u1", "t" * 32, "iso", lambda: Blob.at(file))
    server.close()


@pytest.fixture(params=["rack", "emulator"])
def bmc(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedfishBmc]:
    """The driver, once before each."""
    if request.param == "rack":
        with Rack(1, tmp_path) as rack:
            yield _driver(rack.address("r1u1"), PASSWORD)
    else:
        (tmp_path / "state").mkdir()
        with BmcBed(tmp_path / "state") as bed:
            yield _driver(bed.address, PASSWORD)


def test_a_life_at_the_driver_s_hands(bmc: RedfishBmc, disc: str) -> None:
    """Each call leads to the same state before both: the disc in and out, and where it boots from.

    The emulator takes seconds to show its power; nobody waits for that here.
    """
    assert bmc.facts().on is False
    assert bmc.media() is None
    bmc.insert(disc)
    assert disc == bmc.media()
    bmc.boot_from("cd")
    assert _boot(bmc)["BootSourceOverrideTarget"] == "Cd"
    bmc.switch(on=True)
    bmc.eject()
    assert bmc.media() is None
    bmc.eject()
    bmc.boot_from("disk")
    assert _boot(bmc)["BootSourceOverrideTarget"] in ("None", "Hdd")


def test_what_cannot_be_fetched_is_refused(bmc: RedfishBmc) -> None:
    """A disc that is not there does not go in."""
    with pytest.raises(ProviderError):
        bmc.insert("http://127.0.0.1:9/nothing.iso")
    assert bmc.media() is None


@pytest.mark.parametrize("path", ["/redfish/v1/Systems/nobody", "/redfish/v1/Managers/nobody", "/redfish/v1/x"])
def test_what_is_not_there_is_not_found(bmc: RedfishBmc, path: str) -> None:
    assert bmc.wire.ask("GET", path).status == 404


def _driver(address: str, password: str) -> RedfishBmc:
    return RedfishBmc(Wire(Access(parse(address), USER, Secret(password))))


def _boot(bmc: RedfishBmc) -> Any:
    return bmc._machine.system()["Boot"]
