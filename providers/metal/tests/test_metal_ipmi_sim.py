"""The IPMI driver before OpenIPMI's simulator, and what `ipmitool` says of the same BMC."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from beds.ipmi.peer import fru
from beds.ipmi.sim import GUID, PASSWORD, USER, Sim
from prov_metal.bmc.access import Access
from prov_metal.bmc.address import parse
from prov_metal.bmc.ipmi import IpmiBmc
from prov_metal.bmc.lan import Lan
from prov_metal.bmc.sol import Console

from provisioner.sdk import OperatorNeeded, Secret

pytestmark = pytest.mark.metal


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sim]:
    with Sim(Path(tmp_path_factory.mktemp("sim")), fru("Acme", "A1", "S123")) as bed:
        yield bed


def speak(sim: Sim, more: str = "", user: str = USER, password: str = PASSWORD) -> IpmiBmc:
    return IpmiBmc(Lan(Access(parse(sim.address + more), user, Secret(password))))


def test_both_say_the_same_of_a_machine(sim: Sim) -> None:
    """Maker, model, serial number, and a UUID that ipmitool's reading of the bytes is among."""
    facts = speak(sim).facts()
    said = sim.tool("fru")
    assert {"Acme", "A1", "S123"} == {facts.vendor, facts.model, facts.serial}
    assert all(f": {text}\n" in said for text in (facts.vendor, facts.model, facts.serial))
    assert facts.is_uuid(_after("System GUID", sim.tool("mc", "guid")))
    assert facts.is_uuid(f"{GUID[:8]}-{GUID[8:12]}-{GUID[12:16]}-{GUID[16:20]}-{GUID[20:]}")


def test_what_one_switches_the_other_sees(sim: Sim) -> None:
    """On by the driver, off by ipmitool."""
    bmc = speak(sim)
    bmc.switch(on=True)
    assert "is on" in sim.tool("chassis", "power", "status")
    sim.tool("chassis", "power", "off")
    assert bmc.facts().on is False


def test_what_one_sets_the_other_reads(sim: Sim) -> None:
    """The network, and then what the firmware likes. (The simulator keeps neither UEFI nor "valid".)"""
    bmc = speak(sim)
    bmc.boot_from("network")
    set_by_us = sim.tool("chassis", "bootparam", "get", "5")
    bmc.boot_from("disk")
    lifted = sim.tool("chassis", "bootparam", "get", "5")
    assert (_after("- Boot Device Selector", set_by_us), _after("- Boot Device Selector", lifted)) == (
        "Force PXE",
        "No override",
    )


def test_both_read_the_same_log(sim: Sim) -> None:
    """The entry that the bed has put there: the firmware starts the operating system."""
    last = speak(sim).events()[-1]
    assert "Starting OS boot" in last.text
    assert "Starting OS boot" in sim.tool("sel", "elist") or "System boot initiated" in sim.tool("sel", "elist")


@pytest.mark.parametrize(("user", "password"), [(USER, "letmein"), ("nobody", PASSWORD)])
def test_who_is_not_let_in_is_told_so(sim: Sim, user: str, password: str) -> None:
    """A wrong password is found by the driver itself, an unknown user is what the BMC says."""
    with pytest.raises(OperatorNeeded, match="user or the password"):
        speak(sim, user=user, password=password).facts()


def test_it_has_cipher_suite_3_only(sim: Sim) -> None:
    """By itself the driver comes down to it; told to take 17, it says that there is none."""
    assert speak(sim).facts().on is False
    assert speak(sim, "?cipher=3").facts().on is False
    with pytest.raises(OperatorNeeded, match="cipher suite"):
        speak(sim, "?cipher=17").facts()


def test_its_serial_console_is_heard(tmp_path: Path) -> None:
    """The machine behind the simulator is a socket here; what it writes arrives."""
    with (
        socket.create_server(("127.0.0.1", 0)) as machine,
        Sim(tmp_path, fru("Acme", "A1", "S123"), machine.getsockname()[1]) as sim,
    ):
        wire, _ = machine.accept()
        console = Console(Access(parse(sim.address), USER, Secret(PASSWORD)), check_s=0.2, retry_s=0.2)
        gong, written = threading.Event(), 0
        while "line 9" not in console.tail() and written < 200:
            wire.sendall(f"line {written}\r\n".encode())
            written += 1
            gong.wait(0.1)
        heard, trouble = console.tail(), console.trouble
        console.close()
        wire.close()

    assert ("line 9" in heard, trouble) == (True, "")


def _after(label: str, text: str) -> str:
    """The rest of the line that begins with a label."""
    lines = (line.strip() for line in text.splitlines())
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(label))
