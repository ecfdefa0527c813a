"""A cluster file with an inventory: what it plans, and what is wrong before any host is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.example import copy_of

from provisioner.cluster.compose import compose
from provisioner.cluster.tables import with_tables
from provisioner.cluster.topology import topology_of
from provisioner.graph.resources import ResourceGraph
from provisioner.plugins.registry import Registry
from provisioner.sdk import Address, ProvError, Secret
from provisioner.spec.load import load

RACK = Path(__file__).parents[3] / "examples/rack"
ENVIRON = {"BMC_PASSWORD": "hunter2"}


def planned(folder: Path) -> ResourceGraph:
    registry = Registry.installed()
    spec = with_tables(load(folder / "cluster.yaml", variables={}, environ=ENVIRON), registry, ENVIRON)
    topology, bindings = topology_of(spec, {})
    return compose(spec, topology, bindings, registry)


@pytest.fixture
def rack(tmp_path: Path) -> Path:
    return copy_of(RACK, tmp_path / "rack")


def test_nodes_are_spread_over_racks_and_keep_their_hosts(rack: Path) -> None:
    """Control planes stand in three racks, the worker has the host with the label, and bindings say so."""
    graph = planned(rack)
    hosts = {name: graph.resources[Address("metal.host", name)].props["host"] for name in ("control-1", "gpu-1")}
    assert hosts == {"control-1": "r1u1", "gpu-1": "r1u2"}
    claims = {name: value for name, value in graph.bindings.items() if name.endswith("/claim")}
    assert claims == {
        "node/control-1/claim": "rack/r1u1",
        "node/control-2/claim": "rack/r2u1",
        "node/control-3/claim": "rack/r3u1",
        "node/gpu-1/claim": "rack/r1u2",
    }


def test_the_shipped_plan_spreads_its_control_planes(tmp_path: Path) -> None:
    """Over the racks, and leaves the second host of the first one to the worker."""
    graph = planned(RACK.parents[1] / "plans/rack")
    hosts = {
        address.name: one.props["host"] for address, one in graph.resources.items() if address.kind == "metal.host"
    }
    assert hosts == {"control-1": "r1u1", "control-2": "r2u1", "control-3": "r3u1", "workers-1": "r1u2"}


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("cluster.yaml", '    serve: "10.0.0.5:8069"', "    #", "no place to serve at"),
        ("cluster.yaml", "  schematic:", "  # schematic:", "hosts would not find their configuration"),
        ("hosts.csv", "redfish://10.0.0.11", "10.0.0.11", "row of a table"),
        ("cluster.yaml", "hosts.csv", "other.csv", "table cannot be read"),
        ("hosts.csv", "name,bmc", "name,board", "row of a table"),
    ],
)
def test_what_is_wrong_is_told_before_a_host_is_touched(rack: Path, file: str, old: str, new: str, says: str) -> None:
    """Planning ends with an error of the house."""
    text = (rack / file).read_text()
    assert old in text
    (rack / file).write_text(text.replace(old, new))
    with pytest.raises(ProvError) as caught:
        planned(rack)
    assert says in " ".join(problem.summary for problem in caught.value.problems())


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (
            "bmc: '10.0.0.9'",
            "hosts.yaml:2:3: one: bmc cannot be read: '10.0.0.9' is no redfish:// or ipmi:// and a host",
        ),
        (
            "bmc: 'ipmi://b?cipher=9'",
            "hosts.yaml:2:3: one: bmc cannot be read: 'ipmi://b?cipher=9': cipher cannot be '9'",
        ),
        ("boot: [floppy]", "hosts.yaml:3:3: one: boot there is no way 'floppy'"),
        ("macs: ['52:54:00:00:00']", "hosts.yaml:3:3: one: macs has '52:54:00:00:00', which is no MAC address"),
        ("disk: sda", "hosts.yaml:3:3: one: disk 'sda' is not the path of a disk"),
        ("address: 10.1.0.9/24", "hosts.yaml:3:3: one: address '10.1.0.9/24' is neither an address nor a name"),
        ("address: 10.1.0.9:50000", "hosts.yaml:3:3: one: address '10.1.0.9:50000' is neither an address nor a name"),
        ("address: 10.1.0", "hosts.yaml:3:3: one: address '10.1.0' is neither an address nor a name"),
        ("address: b", "hosts.yaml:3:3: one: address b is that of its BMC"),
        ("wipe: [sda]", "hosts.yaml:3:3: one: wipe has 'sda', which is not the path of a disk"),
        ("uuid: 1234", "hosts.yaml:3:3: one: uuid '1234' is no UUID"),
        ("fingerprint: 'sha1:ab'", "hosts.yaml:3:3: one: fingerprint is no SHA-256 fingerprint"),
    ],
)
def test_a_wrong_field_is_told_at_its_line(rack: Path, row: str, says: str) -> None:
    """With the name of the host, the field and what is wrong with it."""
    field = row.partition(":")[0]
    lines = {"bmc": "'redfish://b'", "address": "10.1.0.9"} | {
        field: row.partition(": ")[2].replace("1234", "'1234'")
    }
    ordered = ["bmc", *(name for name in lines if name not in ("bmc", "address")), "address"]
    text = "one:\n" + "".join(f"  {name}: {lines[name]}\n" for name in ordered)
    (rack / "hosts.yaml").write_text(text)
    assert any(found.startswith(says) for found in problems(rack)), problems(rack)


@pytest.mark.parametrize(
    ("boot", "wrong"), [("[media]", True), ("[http]", True), ("[media, network]", False), ("[network]", False)]
)
def test_a_bmc_that_speaks_ipmi_has_nothing_to_put_a_disc_into(rack: Path, boot: str, wrong: bool) -> None:
    """Said while planning, with what to write instead."""
    (rack / "hosts.yaml").write_text(f"one:\n  bmc: ipmi://b\n  address: 10.1.0.9\n  boot: {boot}\n")
    told = [found for found in problems(rack) if "neither virtual media" in found]
    assert bool(told) is wrong


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ("bmc: redfish://b", "bmc: 'redfish://B:443?vendor=hpe'", "bmc b:443 is that of one"),
        ("address: 10.1.0.9", "address: 10.1.0.9", "address 10.1.0.9 is that of one"),
        ("macs: ['52:54:00:00:00:0A']", "macs: ['52-54-00-00-00-0a']", "macs 52:54:00:00:00:0a is that of one"),
        (
            "uuid: 6AE7F5B2-0000-4000-8000-000000000001",
            "uuid: 6ae7f5b2-0000-4000-8000-000000000001",
            "uuid 6ae7f5b2-0000-4000-8000-000000000001 is that of one",
        ),
    ],
)
def test_what_is_in_one_place_is_not_in_two(rack: Path, first: str, second: str, says: str) -> None:
    """Told at the second line, naming the first; spelling does not matter."""
    rows = []
    for name, said, number in (("one", first, 1), ("two", second, 2)):
        rest = {"bmc": f"redfish://c{number}", "address": f"10.1.1.{number}"}
        rest.pop(said.partition(":")[0], None)
        rows.append(f"{name}:\n  {said}\n" + "".join(f"  {key}: {value}\n" for key, value in rest.items()))
    (rack / "hosts.yaml").write_text("".join(rows))
    line = rows[0].count("\n") + 2
    told = [found for found in problems(rack) if says in found]
    assert len(told) == 1
    assert (told[0].startswith(f"hosts.yaml:{line}:3: two: "), told[0].endswith("hosts.yaml:2:3")) == (True, True)


def test_two_systems_behind_one_bmc_are_two_hosts(rack: Path) -> None:
    """A chassis with two servers has one BMC with two systems."""
    rows = "".join(f"h{n}: {{bmc: 'redfish://b/Systems/{n}', address: 10.1.0.{n}}}\n" for n in (1, 2))
    (rack / "hosts.yaml").write_text(rows)
    assert not [found for found in problems(rack) if "is that of" in found]


def test_passwords_are_had_by_reference(rack: Path) -> None:
    """A cell may name the environment, a file beside the cluster file, or be sealed; the plan has a secret."""
    (rack / "bmc.password").write_text("from a file\n")
    (rack / "hosts.csv").write_text(
        "name,bmc,address,rack,labels,password\n"
        "one,redfish://b1,10.1.0.1,r1,,${env.BMC_PASSWORD}\n"
        "two,redfish://b2,10.1.0.2,r2,,${file['bmc.password']}\n"
        "three,redfish://b3,10.1.0.3,r3,,\n"
        "four,redfish://b4,10.1.0.4,r1,gpu=yes,\n"
    )
    graph = planned(rack)
    found = [graph.resources[Address("metal.host", f"control-{n}")].props["password"] for n in (1, 2)]
    assert found == [Secret("hunter2"), Secret("from a file")]


def problems(folder: Path) -> list[str]:
    """Place and detail of everything that is wrong with the rack with the inventory `hosts.yaml`."""
    cluster = folder / "cluster.yaml"
    cluster.write_text(cluster.read_text().replace("hosts.csv", "hosts.yaml"))
    try:
        planned(folder)
    except ProvError as err:
        return [f"{str(found.place).rpartition('/')[2]}: {found.detail}" for found in err.problems()]
    return []
