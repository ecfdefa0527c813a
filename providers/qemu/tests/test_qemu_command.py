"""What a machine is started with, and what it finds."""

from __future__ import annotations

import io
import struct
from itertools import pairwise
from pathlib import Path

import pytest
from attrs import evolve
from prov_qemu.facts import Measure
from prov_qemu.machine.capacity import Need, require
from prov_qemu.machine.command import Attachment, Build, command, uuid_of
from prov_qemu.machine.delivery import carrier, hand_out, put_down
from prov_qemu.machine.iso import SECTOR, iso
from prov_qemu.machine.tools import Tools, how_to_get
from prov_qemu.network.addresses import free_loopback, free_number, inside
from prov_qemu.network.deliver import answer

from provisioner.sdk import OperatorNeeded

TOOLS = Tools("/usr/bin/qemu", "/usr/bin/qemu-img", "/fw/code.fd", "/fw/vars.fd")
BUILD = Build(
    name="control-1",
    key="a-key",
    folder=Path("/data/demo/machine/control-1"),
    cpus=2,
    memory_mib=2048,
    accelerator="tcg",
    attachment=Attachment("10.5.0.0/24", "10.5.0.11", "127.131.2.11", "52:54:00:aa:bb:cc"),
    monitor="11.monitor",
    disks=("/disks/a,b.qcow2",),
    formats=("qcow2",),
)


def _value(words: list[str], option: str, begins: str) -> str:
    return next(after for word, after in pairwise(words) if word == option and begins in after)


def test_a_machine_is_reached_at_its_own_address_of_this_computer() -> None:
    """The ports of both APIs, and no others, lead to its own address."""
    out = _value(command(BUILD, TOOLS), "-netdev", "user,")

    assert "net=10.5.0.0/24" in out
    assert "dhcpstart=10.5.0.11" in out
    assert [part for part in out.split(",") if part.startswith("hostfwd")] == [
        "hostfwd=tcp:127.131.2.11:50000-10.5.0.11:50000",
        "hostfwd=tcp:127.131.2.11:6443-10.5.0.11:6443",
    ]


def test_a_comma_in_a_path_begins_no_further_option() -> None:
    assert "file=/disks/a,,b.qcow2" in _value(command(BUILD, TOOLS), "-drive", "id=disk0")


def test_disks_are_booted_from_before_media() -> None:
    words = command(evolve(BUILD, media=("/images/talos.iso",)), TOOLS)

    assert _value(words, "-device", "drive=disk0").endswith("bootindex=0")
    assert _value(words, "-device", "drive=medium0").endswith("bootindex=1")


def test_kvm_gives_the_processor_of_this_computer() -> None:
    words = command(evolve(BUILD, accelerator="kvm"), TOOLS)

    assert (_value(words, "-accel", ""), _value(words, "-cpu", "")) == ("kvm", "host")


def test_the_identity_of_a_machine_stays_with_its_key() -> None:
    assert uuid_of("a-key") == uuid_of("a-key") != uuid_of("another")
    assert f"uuid={uuid_of('a-key')}" in _value(command(BUILD, TOOLS), "-smbios", "type=1")


@pytest.mark.parametrize(
    ("way", "label", "files", "serial", "arguments"),
    [
        ("nocloud", "cidata", {"user-data", "meta-data"}, "", ()),
        ("metal-iso", "metal-iso", {"config.yaml"}, "", ("talos.config=metal-iso",)),
        ("smbios", "", {"user-data", "meta-data"}, "ds=nocloud-net;s=http://10.5.0.4/", ()),
        ("url", "", {"config.yaml"}, "", ("talos.config=http://10.5.0.4/config.yaml",)),
        ("none", "", set(), "", ()),
    ],
)
def test_each_way_carries_the_configuration_where_talos_looks(
    way: str, label: str, files: set[str], serial: str, arguments: tuple[str, ...]
) -> None:
    found = carrier(way, name="n", id_="demo/n-1", user_data="machine: {}", subnet="10.5.0.0/24", static={})

    assert (found.label, found.serial, found.arguments) == (label, serial, arguments)
    assert {*found.drive, *found.handed} == files
    assert "machine: {}" not in repr(found)


def test_fixed_addresses_are_told_by_hardware_address() -> None:
    static = {"mac": "52:54:00:aa:bb:cc", "ip": "10.5.0.11", "resolver": "10.5.0.1"}
    found = carrier("nocloud", name="n", id_="i", user_data="", subnet="10.5.0.0/24", static=static)
    text = found.drive["network-config"].decode()

    assert "mac_address: '52:54:00:aa:bb:cc'" in text
    assert "address: 10.5.0.11/24\n        gateway: 10.5.0.1" in text


def test_a_drive_has_its_label_and_each_file_as_it_is() -> None:
    """The label stands where Talos reads it, and the second tree has the names in full."""
    files = {"user-data": b"x" * 5000, "meta-data": b"", "config.yaml": b"a: 1\n"}
    image = iso("cidata", files)
    second = 17 * SECTOR
    root = struct.unpack_from("<I", image, second + 156 + 2)[0] * SECTOR

    assert image[16 * SECTOR + 40 : 16 * SECTOR + 72] == b"cidata".ljust(32)
    assert len(image) == struct.unpack_from("<I", image, 16 * SECTOR + 80)[0] * SECTOR
    assert _files(image, root) == files
    assert image == iso("cidata", dict(reversed(files.items())))


def _files(image: bytes, at: int) -> dict[str, bytes]:
    found = {}
    while length := image[at]:
        place, size, name = *struct.unpack_from("<I4xI", image, at + 2), image[at + 33 : at + 33 + image[at + 32]]
        if len(name) > 1:
            found[name.decode("utf-16-be")] = image[place * SECTOR : place * SECTOR + size]
        at += length
    return found


def test_what_is_handed_out_is_the_file_that_is_asked_for(tmp_path: Path) -> None:
    """A folder above is none of it."""
    found = carrier("smbios", name="n", id_="i", user_data="machine: {}", subnet="10.5.0.0/24", static={})
    put_down(found, tmp_path)
    (tmp_path / "secret").write_text("no")

    assert hand_out(found, tmp_path)[-1] == str(tmp_path / "handed")
    assert _asked(tmp_path / "handed", "GET /user-data?h=n HTTP/1.1") == ("200 OK", "machine: {}")
    assert _asked(tmp_path / "handed", "GET /../secret HTTP/1.1") == ("404 Not Found", "")
    assert _asked(tmp_path / "handed", "HEAD /user-data HTTP/1.1") == ("200 OK", "")
    assert _asked(tmp_path / "handed", "nonsense") == ("404 Not Found", "")


def _asked(folder: Path, line: str) -> tuple[str, str]:
    said = io.BytesIO()
    answer(folder, io.BytesIO(f"{line}\r\nHost: here\r\n\r\n".encode()), said)
    head, _, body = said.getvalue().decode().partition("\r\n\r\n")
    return head.splitlines()[0].partition(" ")[2], body


@pytest.mark.parametrize(
    ("need", "says"),
    [
        (Need(cpus=9, memory_mib=1), "9, and there are 8"),
        (Need(cpus=1, memory_mib=4096), "needs 4096 MiB, and 2048 MiB are free"),
        (Need(cpus=1, memory_mib=1, room_mib=20480), "20480 MiB, and 10240 MiB are free"),
    ],
)
def test_what_is_missing_is_told_in_numbers(need: Need, says: str) -> None:
    with pytest.raises(OperatorNeeded) as caught:
        require(need, Measure(cpus=8, memory_mib=2048, room_mib=10240), "machine one", overcommit=False)

    assert says in caught.value.detail
    assert caught.value.remedy


def test_memory_and_room_may_be_promised_twice_processors_may_not() -> None:
    there = Measure(cpus=8, memory_mib=1, room_mib=1)
    require(Need(cpus=8, memory_mib=4096, room_mib=4096), there, "machine one", overcommit=True)

    with pytest.raises(OperatorNeeded):
        require(Need(cpus=9, memory_mib=0), there, "machine one", overcommit=True)


@pytest.mark.parametrize(
    ("system", "command"),
    [("ubuntu debian", "apt "), ("fedora", "dnf "), ("manjaro arch", "pacman "), ("other", "apt")],
)
def test_what_is_missing_comes_with_the_command_of_the_distribution(system: str, command: str) -> None:
    assert command in how_to_get(system)


def test_numbers_and_loopback_networks_are_given_once() -> None:
    first = free_loopback("demo", ())
    assert first == free_loopback("demo", ())
    assert first is not None
    assert free_loopback("demo", {first}) not in (None, first)
    assert free_number({10, 11, 13}) == 12
    assert free_number(range(10, 251)) is None
    assert inside("10.5.0.0/24", 11) == "10.5.0.11"
