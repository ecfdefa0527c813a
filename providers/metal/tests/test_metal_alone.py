"""Serving hosts that somebody else makes, or that nobody goes on with for a while."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import define, evolve
from beds.rack.disc import write_image
from prov_metal.alone import serve
from prov_metal.client import Client
from prov_metal.kinds.props import HostProps
from prov_metal.settings import MetalSettings
from prov_metal.ways.way import Trip

from provisioner.sdk import Address, Job, Secret

HOST = HostProps(
    host="r1u1",
    address="10.1.0.1",
    bmc="redfish://10.0.0.1",
    image="metal.iso",
    user_data=Secret("config"),
    authority="Y2E=",
    authority_key=Secret("a2V5"),
)


@define
class Desk:
    """The context of calls; the time goes on when somebody says so."""

    time: datetime = datetime(2026, 11, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def derive(self, purpose: str) -> str:
        return "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("phase", "status"), [("stopped", 200), ("loaded", 200), ("armed", 200), ("starting", 410), ("booting", 410)]
)
def test_a_host_that_was_not_started_yet_has_all_its_time(phase: str, status: int, tmp_path: Path) -> None:
    """Its run was killed in the evening, and somebody goes on in the morning; what serves has run all night."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{probe.getsockname()[1]}"
    client, desk = Client(MetalSettings(serve=where, serve_alone=True)), Desk()
    wanted = evolve(HOST, image=str(write_image(tmp_path / "metal.iso")))
    job = Job("key", 1, Address("metal.host", "control-1"), id="r1u1", wanted=wanted, phase=phase)
    client.serves = True
    client.boot.now = desk.now
    for _ in range(2):
        found = serve(client, [job], desk)  # type: ignore[arg-type]
        desk.time += timedelta(hours=2)
    trip = Trip(client, wanted, client.bmc(wanted), desk, 1)  # type: ignore[arg-type]

    assert found == {"key": ""}
    assert client.status_of(client.boot.url("r1u1", trip.token, "iso")) == status
    client.boot.close()
