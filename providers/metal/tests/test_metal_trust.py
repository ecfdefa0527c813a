"""Whose hands a host's configuration comes into, by what its row says."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fakes.example import copy_of
from fakes.talos_client import until
from prov_metal.bmc.driver import Facts
from prov_metal.console import TcpConsole, key_on
from prov_metal.handover import unlike
from prov_metal.kinds.host import HostKind
from prov_metal.kinds.props import HostProps
from prov_metal.trust import TRUSTS, carried, is_console, objections
from prov_metal.ways.configuration import config_of, introduce
from prov_metal.ways.known import WAYS, usual
from prov_metal.ways.way import Trip
from prov_standin.console import tell_key

from provisioner.cluster.compose import compose
from provisioner.cluster.tables import with_tables
from provisioner.cluster.topology import topology_of
from provisioner.conformance.fakes import FakeContext
from provisioner.model.state import State
from provisioner.planner.build import PlanOptions, make_plan
from provisioner.plugins.registry import Registry
from provisioner.render.style import Style
from provisioner.render.text import plan_text
from provisioner.render.view import plan_view
from provisioner.sdk import Fatal, ProvError, Secret
from provisioner.spec.load import load
from provisioner.talos.api.maintenance import Waiting

RACK = Path(__file__).parents[3] / "examples/rack"
KEY = "rMWhs9V9Y30sbs9W5KNCgVRReKGrfvV0FwMtqEX4OW8="
OTHER = "xA9a1t2dMxB0NJ0qH1pDzilWbA3+DK/DjVbFaJBYheE="


def line(key: str, controller: str = "MaintenanceServiceInformController", at: str = "9.858176") -> str:
    """What Talos prints, as the source named in `console` has it."""
    rest = f'"controller": "runtime.{controller}", "fingerprint": "{key}"'
    return f'[    {at}] [talos] server certificate issued {{"component": "controller-runtime", {rest}}}\r\n'


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", ""),
        (line(KEY), KEY),
        (line(KEY, "MaintenanceServiceController"), KEY),
        (line(KEY) + "[   10.1] [talos] upload configuration using talosctl:\r\n", KEY),
        (line(OTHER) + line(KEY, at="61.2"), KEY),
        ("\x1b[2J\x1b[01;01H\x1b[0m" + line(KEY).replace("issued", "\x1b[32missued\x1b[0m"), KEY),
        ("".join(f"{part}\r\n" for part in (line(KEY)[:80], line(KEY)[80:160], line(KEY)[160:])), KEY),
        (line(KEY[:-2] + "="), ""),
        (line(KEY)[:-4], ""),
        ('[ 5.1] [talos] setting hostname {"hostname": "' + line(KEY).replace('"', '\\"').strip() + '"}', ""),
        (f"[ 9.9] [talos] talosctl apply-config --insecure --cert-fingerprint '{KEY}' --file c.yaml\r\n", ""),
    ],
    ids=[
        "nothing", "from 1.13 on", "up to 1.12", "more behind it", "the newest counts", "colours", "wrapped lines",
        "too short", "cut off", "in a host name from DHCP", "the hint only",
    ],
)  # fmt: skip
def test_the_key_is_read_from_what_talos_prints(text: str, key: str) -> None:
    """Through colours and line breaks, and from no other line than the one about the certificate."""
    assert key_on(text) == key


def test_the_stand_in_prints_what_talos_prints(capfd: pytest.CaptureFixture[str]) -> None:
    """So that what boots in its place can be trusted in the same way."""
    tell_key(KEY)
    told = capfd.readouterr().out
    assert key_on(told) == KEY
    assert told.partition("] ")[2] == line(KEY).partition("] ")[2]


def test_a_console_is_heard_over_tcp_and_again_after_it_was_cut_off() -> None:
    """Telnet's own bytes are no text; what was heard before stays."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        console = TcpConsole(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        assert console.tail() == ""
        for part in (b"\xff\xfb\x01\xff\xfd\x03" + line(KEY).encode()[:50], line(KEY).encode()[50:]):
            wire, _ = server.accept()
            wire.sendall(part)
            wire.close()
        wire, _ = server.accept()  # it comes back once all of that was read
        wire.close()
        console.close()
    assert key_on(console.tail()) == KEY
    assert console.tail() == line(KEY)
    assert console.spoken() == 0


def test_a_console_server_that_greets_is_no_machine_that_speaks() -> None:
    """What a connection begins with may have been kept there for long; what comes later is the machine's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        console = TcpConsole(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        console.tail()
        wire, _ = server.accept()
        wire.sendall(b"Welcome to port 7")
        until(lambda: console.tail() == "Welcome to port 7")
        greeted = console.spoken()
        wire.sendall(b"login: ")
        until(lambda: console.tail() == "Welcome to port 7login: ")
        wire.close()
        console.close()

    assert greeted == 0
    assert console.spoken() == len("login: ")


@pytest.mark.parametrize(
    ("text", "good"),
    [("tcp://10.0.0.9:7001", True), ("tcp://[fd00::1]:7001", True), ("tcp://10.0.0.9", False), ("10.0.0.9:1", False),
     ("telnet://10.0.0.9:23", False), ("tcp://10.0.0.9:x", False), ("tcp://me@10.0.0.9:1", False)],
)  # fmt: skip
def test_a_console_is_named_by_a_host_and_a_port(text: str, good: bool) -> None:
    """Nothing else is understood, and nothing with a user in it."""
    assert is_console(text) is good


@pytest.mark.parametrize("trust", TRUSTS)
@pytest.mark.parametrize("way", ["media", "http", "network"])
@pytest.mark.parametrize("bmc", ["redfish://10.0.0.1", "ipmi://10.0.0.1"])
@pytest.mark.parametrize("console", ["", "tcp://10.0.0.9:7001"])
@pytest.mark.parametrize("tls", [False, True])
def test_what_is_not_refused_has_a_way_to_go(trust: str, way: str, bmc: str, console: str, tls: bool) -> None:
    """And what is refused is: below `console` nothing without a console, and `media` never over the network."""
    refused = list(objections(trust, [way], bmc, console, tls=tls))
    expected = {
        "media": way == "network" or (way == "http" and not tls),
        "console": not console and bmc.startswith("redfish"),
        "network": False,
    }
    assert bool(refused) is expected[trust]
    if not refused:
        goes = carried(trust, way)
        assert goes == {"media": "disc" if way == "media" else "url", "console": "api"}.get(trust, goes)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("trust", TRUSTS)
def test_no_way_takes_a_configuration_along_that_goes_to_a_key(trust: str, way: str) -> None:
    """Neither on a disc nor at a URL; and what must not go at all is refused once more."""
    wanted = HostProps(
        host="r1u1", address="10.1.0.1", bmc="redfish://10.0.0.1", image="", authority="", trust=trust,
        authority_key=Secret(""), user_data=Secret("config"),
    )  # fmt: skip
    trip = Trip(None, wanted, None, None, 1, way=way)  # type: ignore[arg-type]
    if (trust, way) == ("media", "network"):
        with pytest.raises(Fatal, match="must not"):
            config_of(trip)
    else:
        none = trust == "console" or (trust, way) == ("network", "media")
        assert config_of(trip) == (None if none else "config")


class Served:
    """A client that notes by which cards hosts are served."""

    dhcp = None

    def __init__(self) -> None:
        self.cards: list[tuple[str, ...]] = []

    @property
    def boot(self) -> Served:
        return self

    def knows(self, host: str, token: str, facts: Mapping[str, tuple[str, ...]], macs: tuple[str, ...]) -> None:
        self.cards.append(macs)


@pytest.mark.parametrize("trust", TRUSTS)
def test_a_card_s_address_leads_to_nothing_where_the_bmc_is_trusted_alone(trust: str) -> None:
    """Else `/boot.efi` would tell the place of the configuration to who has taken over an address."""
    wanted = HostProps(
        host="r1u1", address="10.1.0.1", bmc="redfish://10.0.0.1", image="", authority="", trust=trust, macs=(MAC,),
        authority_key=Secret(""), user_data=Secret("config"),
    )  # fmt: skip
    client = Served()
    introduce(Trip(client, wanted, None, FakeContext().about("key"), 1, way="http"))  # type: ignore[arg-type]
    assert client.cards == [() if trust == "media" else (MAC,)]


FACTS = Facts("Acme", "A1", "1", "6ae7f5b2-0102-0304-0506-0708090a0b0c", "S1", on=True)
MAC = "52:54:00:00:00:01"


@pytest.mark.parametrize(
    ("uuid", "serial", "macs", "row", "wrong"),
    [
        ("6AE7F5B2-0102-0304-0506-0708090A0B0C", "s1", (), (), ""),
        ("b2f5e76a-0201-0403-0506-0708090a0b0c", "", (), (), ""),
        ("6ae7f5b2-0102-0304-0506-0708090a0b0d", "S1", (), (), "UUID"),
        ("", "S2", (), (), "serial number"),
        ("", "S1", (MAC,), (MAC,), ""),
        ("", "S1", ("52:54:00:00:00:02",), (MAC,), "network cards"),
        ("", "", (MAC,), (MAC,), ""),
        ("", "", (MAC,), (), "nothing can be compared"),
    ],
)  # fmt: skip
def test_facts_must_be_those_of_the_bmc(
    uuid: str, serial: str, macs: tuple[str, ...], row: tuple[str, ...], wrong: str
) -> None:
    """In whatever spelling; where there is nothing to compare, that is no match."""
    found = unlike(Waiting("maintenance", uuid, serial, macs), FACTS, row)
    assert bool(found) is bool(wrong)
    assert wrong in found


@pytest.fixture
def rack(tmp_path: Path) -> Path:
    return copy_of(RACK, tmp_path / "rack")


def planned(folder: Path) -> Mapping[str, Any]:
    """The plan of a cluster that is to be, as its JSON form has it."""
    environ, registry = {"BMC_PASSWORD": "hunter2"}, Registry.installed()
    spec = with_tables(load(folder / "cluster.yaml", variables={}, environ=environ), registry, environ)
    topology, bindings = topology_of(spec, {})
    plan = make_plan(
        compose(spec, topology, bindings, registry), State("rack", "lineage", 0), {}, kind_of=registry.kind,
        functions=registry.functions(), versions={}, options=PlanOptions(),
    )  # fmt: skip
    return plan_view(plan)


@pytest.mark.parametrize(
    ("columns", "cells", "says"),
    [
        ("trust", "console", "none on which the host's key could be read"),
        ("trust", "medium", "no such rung"),
        ("trust console", "console 10.0.0.9:7001", "not tcp://HOST:PORT"),
        ("boot", "network", "gets its configuration from there"),
        ("boot", "http", "travels in the clear"),
    ],
)
def test_what_does_not_go_together_is_told_with_the_line_of_its_row(
    rack: Path, columns: str, cells: str, says: str
) -> None:
    """The third host of the inventory, whatever else is right."""
    lines = (rack / "hosts.csv").read_text().splitlines()
    more = [",".join(("", *columns.split())), *[""] * 2, ",".join(("", *cells.split())), ""]
    (rack / "hosts.csv").write_text("".join(f"{line}{extra}\n" for line, extra in zip(lines, more, strict=True)))
    with pytest.raises(ProvError) as caught:
        planned(rack)
    problem = caught.value.problems()[0]
    assert (problem.place.file.rpartition("/")[2], problem.place.line) == ("hosts.csv", 4)
    assert (problem.summary, problem.detail.partition(":")[0]) == ("a row of a table cannot be used", "r2u1")
    assert says in problem.detail
    assert problem.remedy


def test_a_bmc_by_ipmi_is_no_excuse_for_trusting_the_network() -> None:
    """Its hosts boot from the network by themselves, and the rung of all hosts is `media`."""
    bmc = "ipmi://10.0.0.11"
    assert [field for field, _, _ in objections("media", usual(bmc), bmc, "", tls=False)] == ["trust"]
    assert list(objections("console", usual(bmc), bmc, "", tls=False)) == []


DISC = "boots from virtual media; configuration on a disc through its BMC; trust: media"
PROVES_NOTHING = f"{DISC}, with a BMC that proves nothing"
KEYED = "boots from virtual media; configuration to the key that its console shows; trust: console"
ANYBODY = (
    "boots from virtual media, else from the network; configuration to whoever tells the facts that its BMC tells or "
    "to whoever asks for it as this host; trust: network, which is no proof"
)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, DISC),
        ({"verify": False}, PROVES_NOTHING),
        ({"bmc": "redfish+http://10.0.0.1"}, PROVES_NOTHING),
        ({"trust": "console"}, KEYED),
        ({"trust": "network", "boot": ("media", "network")}, ANYBODY),
    ],
)
def test_a_plan_says_whose_hands_a_configuration_comes_into(more: dict[str, object], told: str) -> None:
    """And which host it is, what is written there, and where it boots from, in one line."""
    wanted = {"trust": "media", "boot": ("media",), "bmc": "redfish://10.0.0.1", "verify": True}
    place = {"host": "r1u1", "address": "10.1.0.1", "disk": "/dev/sda"}
    said = HostKind().birth({**place, **wanted, **more})  # type: ignore[dict-item]
    assert said == f"r1u1 at 10.1.0.1, installs to /dev/sda; {told}"


def test_a_plan_shows_the_rung_in_text_and_in_json(rack: Path) -> None:
    """Before anything is made; and Talos is told that the provider brings the configuration."""
    lines = (rack / "hosts.csv").read_text().splitlines()
    more = [",trust,console", ",console,tcp://10.0.0.9:7001", ",,", ",,", ",,"]
    (rack / "hosts.csv").write_text("".join(f"{line}{extra}\n" for line, extra in zip(lines, more, strict=True)))
    view = planned(rack)
    steps = {step["address"]: step for step in view["steps"]}
    text = plan_text(view, Style())

    keyed = f"r1u1 at 10.1.0.11, installs to /dev/nvme0n1; {KEYED}"
    assert steps["metal.host/control-1"]["consequence"] == keyed
    assert f"  + metal.host/control-1  ({keyed})\n" in text
    assert f"  + metal.host/control-2  (r2u1 at 10.1.0.21, installs to /dev/nvme0n1; {DISC})\n" in text
    assert steps["talos.config/control-1"]["wanted"]["delivery"] == "provider"
