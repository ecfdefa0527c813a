"""A cluster file with an inventory: what it plans, and what is wrong before any host is touched."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from provisioner.cluster.compose import compose
from provisioner.cluster.tables import with_tables
from provisioner.cluster.topology import topology_of
from provisioner.graph.resources import ResourceGraph
from provisioner.plugins.registry import Registry
from provisioner.sdk import Address, ProvError
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
    return Path(shutil.copytree(RACK, tmp_path / "rack"))


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


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("cluster.yaml", '    serve: "10.0.0.5:8069"', "    #", "no place to serve at"),
        ("hosts.csv", "redfish://10.0.0.11", "10.0.0.11", "address of a BMC"),
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
