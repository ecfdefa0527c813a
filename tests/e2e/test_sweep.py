"""The real command finds what was left behind, and removes it when it is told to."""

from __future__ import annotations

from fakes.lab import Lab, cluster


def _lineage(lab: Lab) -> str:
    return str(lab.sim()["machines"][0]["lineage"])


def test_what_was_taken_off_the_record_is_swept(lab: Lab) -> None:
    """It is shown, asked for, and removed; what is on record stays."""
    lab.write(cluster(control=1, workers=1))
    lab.prov("apply", "--yes")
    clean = lab.json("sweep")
    lab.prov("state", "rm", "sim.machine/workers-1", "--yes")
    shown = lab.prov("sweep", code=2)
    still = sorted(lab.machines())
    swept = lab.json("sweep", "--yes")

    assert (clean["leftovers"], clean["on_record"], clean["unasked"]) == ([], 3, {})
    assert "sim.machine/workers-1" in shown.stdout
    assert "add --yes" in shown.stderr
    assert still == ["control-1", "workers-1"]
    assert [one["address"] for one in swept["removed"]] == ["sim.machine/workers-1"]
    assert swept["failed"] == []
    assert sorted(lab.machines()) == ["control-1"]


def test_a_cluster_whose_state_is_lost_is_swept_by_its_lineage(lab: Lab) -> None:
    """Without its name it is only counted; with it everything goes."""
    lab.write(cluster(control=1, workers=1))
    lab.prov("apply", "--yes")
    lineage = _lineage(lab)
    (lab.folder / ".prov/lab.db").unlink()
    counted = lab.prov("sweep")
    lab.prov("sweep", "--yes")
    still = sorted(lab.machines())
    swept = lab.prov("sweep", "--lineage", lineage, "--yes")

    assert f"3 more belong to another state: lineage {lineage}, cluster lab" in counted.stderr
    assert still == ["control-1", "workers-1"]
    assert "3 removed, 0 still there" in swept.stderr
    assert lab.machines() == {}
    assert lab.sim()["balancers"] == []
