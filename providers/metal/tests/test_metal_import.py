"""Inventories out of NetBox, and out of BMCs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from beds.ipmi.peer import GUID, Peer, fru
from prov_metal.cli import app
from prov_metal.netbox import imported
from prov_metal.settings import HostRow
from typer.testing import CliRunner

from provisioner.sdk import ProvError, Schema


def device(name: str, **other: Any) -> dict[str, Any]:
    """As the API of NetBox 4 writes one, without what nobody reads."""
    return {
        "id": 17,
        "name": name,
        "device_type": {"id": 3, "manufacturer": {"id": 1, "name": "Acme", "slug": "acme"}, "model": "A1"},
        "role": {"id": 2, "name": "Worker", "slug": "worker"},
        "serial": f"S-{name}",
        "rack": {"id": 5, "name": "r1"},
        "position": 12.0,
        "status": {"value": "active", "label": "Active"},
        "primary_ip4": {"id": 9, "address": "10.1.0.11/24"},
        "oob_ip": {"id": 8, "address": "10.0.0.11/24"},
        "tags": [{"id": 4, "name": "GPU", "slug": "gpu"}],
        "custom_fields": {"uuid": None},
    } | other


def ip(address: str) -> dict[str, str]:
    return {"address": address}


INTERFACES = {
    "count": 3,
    "next": None,
    "results": [
        {"device": {"name": "one"}, "name": "bmc", "mgmt_only": True, "mac_address": "52:54:00:00:00:FF"},
        {"device": {"name": "one"}, "name": "eth0", "mgmt_only": False, "mac_address": "52:54:00:00:00:0A"},
        {"device": {"name": "one"}, "name": "eth1", "primary_mac_address": {"mac_address": "52:54:00:00:00:0B"}},
    ],
}


def test_a_device_becomes_a_row() -> None:
    """With what an inventory asks for; the BMC's own network card is none of the machine's."""
    found = imported({"count": 1, "next": None, "results": [device("one")]}, INTERFACES)
    assert found.rows == {
        "one": {
            "bmc": "redfish://10.0.0.11",
            "address": "10.1.0.11",
            "serial": "S-one",
            "macs": ["52:54:00:00:00:0a", "52:54:00:00:00:0b"],
            "rack": "r1",
            "unit": "12",
            "labels": {"role": "worker", "gpu": "yes"},
            "facts": {"vendor": "Acme", "model": "A1"},
        }
    }
    row = {name: tuple(value) if name == "macs" else value for name, value in found.rows["one"].items()}
    assert not list(Schema.of(HostRow).complaints(row))


def test_what_is_no_host_is_left_out_and_told() -> None:
    """Switches without an out-of-band address, what stands in a store, what has no name."""
    devices = [
        device("switch", oob_ip=None),
        device("idle", primary_ip4=None),
        device("old", status={"value": "decommissioning"}),
        device("", id=9),
        device("one"),
        device("one", position=13.0),
    ]
    found = imported(devices, [])
    assert list(found.rows) == ["one"]
    assert [sentence.partition(":")[0] for sentence in found.left_out] == [
        "device 9 has no name",
        "idle has no primary IP address",
        "old is decommissioning",
        "switch has no out-of-band IP address",
        "one is there twice",
    ]


def test_rows_stand_as_the_racks_do() -> None:
    """So that the same export gives the same inventory, whatever order it came in."""
    devices = [
        device("c", rack={"name": "r2"}, position=1.0),
        device("b", position=20.5),
        device(
            "a",
            position=3.0,
            primary_ip4=None,
            primary_ip6={"address": "fd00::5/64"},
            oob_ip={"address": "fd00::1/64"},
        ),
    ]
    found = imported(devices, [], scheme="ipmi").rows
    assert list(found) == ["a", "b", "c"]
    assert (found["a"]["bmc"], found["a"]["address"], found["b"]["unit"]) == ("ipmi://[fd00::1]", "fd00::5", "20.5")


@pytest.mark.parametrize("given", [{"detail": "Not found."}, "text", [1], {"count": 60, "next": "…", "results": []}])
def test_what_is_no_whole_export_is_refused(given: Any) -> None:
    """An error page, and one page of several."""
    with pytest.raises(ProvError) as caught:
        imported(given, [])
    assert "limit=0" in caught.value.remedy


def test_the_command_writes_an_inventory(tmp_path: Path) -> None:
    """YAML on standard output; what was left out on the other stream."""
    (tmp_path / "devices.json").write_text(json.dumps([device("one"), device("switch", oob_ip=None)]))
    (tmp_path / "interfaces.json").write_text(json.dumps(INTERFACES))
    words = ["import", str(tmp_path / "devices.json"), "--interfaces", str(tmp_path / "interfaces.json")]
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, list(yaml.safe_load(done.stdout))) == (0, ["one"])
    assert "left out: switch" in done.stderr


def test_a_bmc_says_what_belongs_into_its_row() -> None:
    """As a list, for the row has no name yet; the password comes from the environment and goes nowhere."""
    with Peer() as peer:
        peer.fru = fru("Acme", "A1", "S123")
        done = CliRunner().invoke(app, ["look", peer.address, "--username", "admin"], env={"BMC_PASSWORD": "hunter2"})
    assert yaml.safe_load(done.stdout) == [
        {
            "bmc": peer.address,
            "uuid": str(GUID),
            "serial": "S123",
            "facts": {"vendor": "Acme", "model": "A1", "firmware": "2.45"},
        }
    ]
    assert "hunter2" not in done.output
