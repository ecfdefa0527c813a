"""A host that waits for its configuration, with and without somebody in between.

The machine behind the BMC is one of the simulator, which speaks the real API in maintenance; its daemon says what
stands on its console.
"""

from __future__ import annotations

import io
import os
import socket
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pycdlib
import pytest
from attrs import define, evolve, field
from beds.maintenance.relay import Relay
from fakes.talos_client import Secrets, until
from prov_metal.bmc.driver import Facts, Source
from prov_metal.client import Client
from prov_metal.kinds.host import HostKind
from prov_metal.kinds.props import HostOutputs, HostProps
from prov_metal.settings import MetalSettings
from prov_sim.control import Control
from prov_sim.place import Place

from provisioner.sdk import Address, Done, Fatal, Job, OperatorNeeded, Pending, Secret
from provisioner.talos.api.maintenance import facts_of_anyone

BETWEEN = f"127.41.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
TOKEN = b"fedcba.0123456789abcdef"
"""Stands in the configuration and nowhere else."""


@define
class Rack:
    """A BMC with a machine of the simulator behind it; `starts` counts how often it was switched on."""

    control: Control
    inserted: str | None = None
    disc: bytes = b""
    starts: int = 0
    uuid: str = ""
    source: Source = "disk"

    @property
    def machine(self) -> Any:
        return self.control.call("show")["machines"][0]

    @property
    def console(self) -> str:
        """What stands there of the last start, see `prov_metal.console`."""
        key = self.machine["fingerprint"]
        named = '"component": "controller-runtime", "controller": "runtime.MaintenanceServiceInformController"'
        return f'[ 9.8] [talos] server certificate issued {{{named}, "fingerprint": "{key}"}}\r\n' if key else ""

    def facts(self) -> Facts:
        return Facts("Acme", "A1", "1.0", self.uuid, "", self.machine["power"] == "on")

    def switch(self, *, on: bool) -> None:
        self.control.call("power", machine="m", action="on" if on else "off")
        self.starts += on
        until(lambda: self.machine["stage"] == ("maintenance" if on else "off"))

    def media(self) -> str | None:
        return self.inserted

    def insert(self, url: str) -> None:
        self.inserted = url
        with urllib.request.urlopen(url) as answer:
            self.disc = answer.read()

    def eject(self) -> None:
        self.inserted = None

    def boot_from(self, source: Source, url: str = "") -> None:
        self.source = source


@define
class Heard:
    """A console of which one hears what is written from now on."""

    rack: Rack
    before: str = ""

    def tail(self) -> str:
        return "" if self.rack.console == self.before else self.rack.console

    def spoken(self) -> int:
        return len(self.tail())


@define
class Here(Client):
    """A client for one rack."""

    rack: Rack = field(kw_only=True)
    heard: Heard | None = field(kw_only=True)

    def bmc(self, props: Any) -> Any:
        return self.rack

    def console(self, props: Any) -> Heard | None:
        return self.heard

    def is_node(self, props: Any) -> bool:
        return bool(self.rack.machine["installed"])


@define
class Clock:
    """A context whose clock goes on a little with every question."""

    time: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        self.time += timedelta(milliseconds=50)
        return self.time

    def say(self, text: str) -> None:
        """Nobody listens."""

    def derive(self, purpose: str) -> str:
        return "0123456789abcdef" * 4


@define
class Way:
    """A host on its way to a node, call by call."""

    client: Here
    job: Job[HostProps, HostOutputs]
    clock: Clock = field(factory=Clock)
    done: bool = False
    note: str = ""

    def call(self) -> bool:
        """One more call; whether it is a node by now."""
        answer = HostKind().create(self.client, self.job, self.clock)  # type: ignore[arg-type]
        if isinstance(answer, Pending):
            self.note = answer.note
            self.job = evolve(self.job, id=answer.id, phase=answer.phase, memo=answer.memo)
        else:
            assert isinstance(answer, Done)
            self.done = True
        return self.done

    def until_note(self, part: str) -> None:
        """As far as it is waiting for this."""
        until(lambda: self.call() or part in self.note)
        assert not self.done


Makes: TypeAlias = Callable[[str, str], Way]


@pytest.fixture
def rack(tmp_path: Path) -> Iterator[Rack]:
    control = Control(Place(tmp_path / "sim.sock"))
    order = {"name": "m", "group": "g", "key": "k", "lineage": "L", "role": "controlplane", "cpus": 2}
    place = {"memory_mib": 2048, "zone": "", "image": "v1.13.9", "platform": "metal", "disk": "/dev/sda"}
    control.call("create_machine", **order, **place, user_data="", time_scale=0, seed=0)
    found = Rack(control)
    until(lambda: found.machine["stage"] == "maintenance")
    found.uuid = facts_of_anyone(found.machine["address"]).uuid
    found.switch(on=False)
    yield found
    control.stop()


@pytest.fixture
def image(tmp_path: Path) -> str:
    """A small ISO with a boot record."""
    disc = pycdlib.PyCdlib()
    disc.new(interchange_level=3, rock_ridge="1.09", vol_ident="TALOS")
    disc.add_fp(io.BytesIO(b"boot"), 4, "/BOOT.;1", rr_name="boot")
    disc.add_eltorito("/BOOT.;1", platform_id=0xEF)
    file = tmp_path / "metal-amd64.iso"
    disc.write(str(file))
    disc.close()
    return str(file)


@pytest.fixture
def way(rack: Rack, image: str) -> Makes:
    """Makes a host whose node is to answer at an address, on a rung."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        serve = f"127.0.0.1:{probe.getsockname()[1]}"

    def make(address: str, trust: str) -> Way:
        config = Secrets().config("controlplane", "cp-1", "127.0.0.1", install={"disk": "/dev/sda"})
        props = HostProps(
            host="r1u1", address=address, bmc="redfish://10.0.0.1", image=image, authority="Y2E=",
            authority_key=Secret("a2V5"), user_data=Secret(config), trust=trust,
        )  # fmt: skip
        client = Here(MetalSettings(serve=serve), rack=rack, heard=Heard(rack))
        long_off = {"off_since": datetime(2025, 1, 1, tzinfo=UTC).isoformat()}
        return Way(client, Job("key", 1, Address("metal.host", "control-1"), wanted=props, memo=long_off))

    return make


@pytest.mark.parametrize("trust", ["console", "network"])
def test_a_host_is_handed_its_configuration_when_it_waits_for_it(rack: Rack, way: Makes, trust: str) -> None:
    """The disc has none on it, and the machine is started once."""
    host = way(rack.machine["address"], trust)
    until(host.call)

    assert rack.machine["config_digest"] != ""
    assert len(rack.disc) > 0
    assert TOKEN not in rack.disc
    assert (rack.starts, rack.inserted) == (1, None)


@pytest.mark.parametrize("honest", [0, 1], ids=["in between from the beginning", "once it was looked at"])
def test_who_relays_gets_nothing_from_a_host_whose_console_is_heard(rack: Rack, way: Makes, honest: int) -> None:
    """Not a byte inside TLS; one waits for the machine itself, and hands over as soon as it answers."""
    host = way(BETWEEN, "console")
    with Relay(BETWEEN, rack.machine["address"], honest=honest) as relay:
        host.until_note("waits for the machine with the key on its console")
        for _ in range(3):
            host.call()

        assert relay.told() == b""
        assert relay.connections > honest
    assert rack.machine["config_digest"] == ""
    assert rack.starts == 1


def test_who_relays_gets_all_where_the_network_is_trusted(rack: Rack, way: Makes) -> None:
    """It tells the facts of the real machine; so the test above could fail."""
    host = way(BETWEEN, "network")
    with Relay(BETWEEN, rack.machine["address"]) as relay:
        until(host.call)

        assert TOKEN in bytes(relay.heard)


def test_who_relays_gets_nothing_where_the_configuration_is_on_a_disc(rack: Rack, way: Makes) -> None:
    """Nobody tells anything at the host's address; only the certificate there is looked at, before it is touched."""
    host = way(BETWEEN, "media")
    with Relay(BETWEEN, rack.machine["address"]) as relay:
        host.until_note("installs itself")
        for _ in range(3):
            host.call()

        assert relay.told() == b""
    assert TOKEN in rack.disc


def test_who_says_he_is_another_machine_gets_nothing(rack: Rack, way: Makes) -> None:
    """Where the network is trusted, facts have to be those of the BMC all the same."""
    host = way(rack.machine["address"], "network")
    rack.uuid = "6ae7f5b2-0102-0304-0506-0708090a0b0c"
    host.until_note("waits for the machine of its BMC")
    host.call()

    assert rack.machine["config_digest"] == ""


def test_a_run_that_did_not_hear_the_key_starts_the_machine_once_more(rack: Rack, way: Makes) -> None:
    """Nobody gave it a configuration, so nothing is lost; and it is not started a third time."""
    host = way(rack.machine["address"], "console")
    until(lambda: host.call() or host.job.phase == "booting")
    host.client = evolve(
        host.client, heard=Heard(rack, before=rack.console)
    )  # another process, which hears what comes from now on
    until(host.call)

    assert rack.starts == 2


def test_a_host_without_a_console_is_not_handed_anything(rack: Rack, way: Makes) -> None:
    """It is told before the machine is switched on."""
    host = way(rack.machine["address"], "console")
    host.client.heard = None
    with pytest.raises(OperatorNeeded, match="no console"):
        until(host.call)
    assert rack.starts == 0


def test_a_refusal_is_told_without_the_secrets_it_quotes(rack: Rack, way: Makes) -> None:
    """And is not asked for again: the configuration has to change."""
    host = way(rack.machine["address"], "console")
    assert host.job.wanted is not None
    bad = str(host.job.wanted.user_data.reveal()).replace("/dev/sda", "")
    host.job = evolve(host.job, wanted=evolve(host.job.wanted, user_data=Secret(bad)))
    with pytest.raises(Fatal, match="refuses its configuration") as caught:
        until(host.call)
    assert "machine.install" in caught.value.detail
    assert TOKEN.decode() not in caught.value.detail
