"""A bed with habits, a driver for it, and a disc to insert."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from beds.bmc.bed import BmcBed
from beds.bmc.exchange import Habit
from prov_metal.bmc.address import parse
from prov_metal.bmc.quirks import Quirk
from prov_metal.bmc.redfish import RedfishBmc
from prov_metal.bmc.table import QUIRKS
from prov_metal.bmc.wire import Access, Wire
from prov_metal.boot.blobs import Blob
from prov_metal.boot.server import place
from prov_metal.boot.service import BootService

from provisioner.sdk import Secret

Ask = Callable[..., tuple[BmcBed, RedfishBmc]]


@pytest.fixture(scope="module")
def disc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a disc; the emulator fetches what is inserted."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = BootService(place(f"127.0.0.1:{port}"))
    file = tmp_path_factory.mktemp("media") / "disc"
    file.write_bytes(b"a disc")
    yield server.offer("r1u1", "t" * 32, "iso", lambda: Blob.at(file))
    server.close()


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Ask]:
    """Makes a bed with habits, and a driver for it."""
    beds: list[BmcBed] = []

    def make(
        *of_bmc: Habit,
        quirks: tuple[Quirk, ...] = QUIRKS,
        password: str = "hunter2",
        now: Callable[[], float] = float,
    ) -> tuple[BmcBed, RedfishBmc]:
        bed = BmcBed(tmp_path / f"state{len(beds)}", of_bmc)
        bed.state.mkdir()
        beds.append(bed.__enter__())
        return bed, RedfishBmc(Wire(Access(parse(bed.address), "admin", Secret(password)), now), quirks)

    yield make
    for bed in beds:
        bed.__exit__()
