"""Taking over machines that the state knows nothing of, by the command and by the file."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.lab import Lab, cluster

pytestmark = pytest.mark.slow


def with_cluster(lab: Lab) -> tuple[dict[str, Any], str]:
    """A cluster, and the id of its worker."""
    document = cluster(1, 1)
    lab.write(document)
    lab.prov("apply", "--yes")
    return document, lab.machines()["workers-1"]["id"]


def test_a_machine_the_state_has_lost_is_taken_over_again(lab: Lab) -> None:
    """It stays the machine it was, and afterwards there is nothing to do."""
    _, machine = with_cluster(lab)
    lab.prov("state", "rm", "sim.machine/workers-1", "--yes")
    assert ("create", "sim.machine/workers-1") in lab.changes()

    done = lab.prov("import", "sim.machine/workers-1", machine, "--yes")

    assert "is on record" in done.stderr
    assert lab.machines()["workers-1"]["id"] == machine
    assert lab.json("plan")["empty"]
    lab.assert_settled(1, 1)


def test_a_machine_that_somebody_else_made(lab: Lab) -> None:
    """Without an owner's mark it can be taken over, with another owner's it cannot."""
    _, machine = with_cluster(lab)
    lab.prov("sim", "fault", "disown", "workers-1")
    assert ("create", "sim.machine/workers-1") in lab.changes()
    lab.prov("state", "rm", "sim.machine/workers-1", "--yes")

    lab.prov("import", "sim.machine/workers-1", machine, "--yes")
    assert lab.json("plan")["empty"]

    other = ("--state", str(lab.folder / "other.db"))
    (balancer,) = lab.sim()["balancers"]
    refused = lab.prov("import", "sim.balancer/api", balancer["id"], "--yes", *other, code=1)
    assert "belongs to somebody else" in refused.stderr
    refused = lab.prov("import", "sim.machine/workers-1", machine, "--yes", *other, code=1)
    assert "refers to sim.balancer/api, talos.secrets/cluster" in refused.stderr


@pytest.mark.parametrize(
    ("address", "remote", "words"),
    [
        ("sim.machine/workers-1", "m-nothing", "there is nothing under the id"),
        ("sim.machine/workers-9", "m-1", "the file has nothing of this address"),
        ("workers-1", "m-1", "this is not an address"),
        ("talos.secrets/cluster", "x", "cannot take over"),
    ],
)
def test_what_cannot_be_taken_over_is_told(lab: Lab, address: str, remote: str, words: str) -> None:
    lab.write(cluster(1, 1))
    assert words in lab.prov("import", address, remote, "--yes", code=1).stderr
