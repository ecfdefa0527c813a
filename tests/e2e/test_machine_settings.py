"""One file for the oldest and the newest release of Talos: machines take what its settings become in each."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from fakes.lab import NO_WAIT, Lab

from provisioner.talos.support import require
from provisioner.talos.versions import KNOWN

EXAMPLE = Path(__file__).parents[2] / "examples" / "static-network" / "cluster.yaml"


@pytest.mark.parametrize("minor", [str(KNOWN[0]), str(KNOWN[-1])])
def test_the_same_settings_make_a_healthy_cluster(lab: Lab, minor: str) -> None:
    """The nodes run what was written for them, so there is nothing left to do; a change comes alone."""
    row = require(minor)
    file = yaml.safe_load(EXAMPLE.read_text())
    file["talos"]["version"], file["kubernetes"]["version"] = row.newest, row.kubernetes
    file["providers"]["sim"] = NO_WAIT
    lab.write(file)

    assert "healthy" in lab.prov("apply", "--yes").stdout
    lab.prov("plan", code=0)
    file["machine"]["sysctls"]["vm.max_map_count"] = 300000
    lab.write(file)
    changed = [("update", f"talos.config/{node}") for node in ("control-1", "workers-1", "workers-2")]
    assert lab.changes() == [*changed, ("check", "talos.health/cluster")]
