"""Disks that are erased when a node leaves for good, as the simulator's daemon saw it."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.lab import Lab, cluster


def _document(workers: int, **options: Any) -> dict[str, Any]:
    document = cluster(1, workers)
    document["pools"]["workers"] |= {"extra_disks": ["/dev/vdb"], "wipe": ["/dev/vda", "/dev/vdb"], **options}
    return document


def _erased(lab: Lab) -> list[tuple[str, str, int]]:
    return [(one["name"], one["disk"], one["times"]) for one in lab.sim()["erased"]]


def _both(*names: str) -> list[tuple[str, str, int]]:
    return [(name, disk, 1) for name in names for disk in ("/dev/vda", "/dev/vdb")]


def test_a_node_that_leaves_erases_its_disks_and_the_history_says_so(lab: Lab) -> None:
    """The plan names the disks; each is erased once; what the machine said of them is kept with the run."""
    lab.write(_document(2))
    lab.prov("apply", "--yes")
    full = lab.machines()["workers-2"]["filled"]
    lab.write(_document(1))
    plan = lab.prov("plan", code=2).stdout
    lab.prov("apply", "--yes")
    history = lab.prov("state", "runs").stdout

    assert full == ["/dev/vdb"]
    assert "- talos.config/workers-2  (leave: erases /dev/vda, /dev/vdb; drained, wiped, and removed" in plan
    assert _erased(lab) == _both("workers-2")
    assert lab.sim()["taken_full"] == []
    assert "/dev/vdb (Simulated disk, serial" in history
    assert "agreed to erase, and has gone down" in history
    lab.assert_settled(1, 1)


@pytest.mark.parametrize("moment", ["is about to be wiped", "has been asked to wipe itself, and to erase"])
def test_a_destroy_killed_while_disks_are_erased_erases_each_once(lab: Lab, moment: str) -> None:
    document = _document(2)
    document["providers"]["sim"]["time_scale"] = 0.05
    lab.write(document)
    lab.prov("apply", "--yes")
    run = lab.start("destroy", "--yes", "--json")
    assert run.stdout is not None
    for line in run.stdout:
        if '"StepProgress"' in line and moment in line and "workers" in line:
            break
    run.kill()
    run.communicate()

    lab.prov("destroy", "--yes")

    assert _erased(lab) == _both("workers-1", "workers-2")
    assert lab.sim()["taken_full"] == []
    assert lab.sim()["machines"] == []


def test_a_dead_machine_is_given_up_only_by_name(lab: Lab) -> None:
    """A plan with it is blocked, and says which disks stay as they are; with the word it goes through."""
    lab.write(_document(2))
    lab.prov("apply", "--yes")
    lab.prov("sim", "fault", "die", "workers-2")
    lab.write(_document(1))
    blocked = lab.json("plan", code=1)
    refused = lab.prov("apply", "--yes", code=1)
    allowed = lab.prov("plan", "--allow", "unwiped", code=2).stdout
    lab.prov("apply", "--yes", "--allow", "unwiped")

    (problem,) = blocked["problems"]
    assert problem["code"] == "unwiped"
    assert "talos.config/workers-2: /dev/vda, /dev/vdb: the machine does not answer" in problem["detail"]
    assert "--allow unwiped" in refused.stderr
    assert "leaves /dev/vda, /dev/vdb as it is" in allowed
    assert _erased(lab) == []
    assert [one["name"] for one in lab.sim()["taken_full"]] == ["workers-2"]
    assert "not erased, which was accepted" in lab.prov("state", "runs").stdout
    lab.assert_settled(1, 1)


def test_in_maintenance_the_disks_are_looked_at(lab: Lab) -> None:
    """A machine that got its configuration through the API comes back, and says what is on its disks."""
    lab.write(_document(2, delivery="api", wipe=["/dev/vdb"]))
    lab.prov("apply", "--yes")
    lab.write(_document(1, delivery="api", wipe=["/dev/vdb"]))
    lab.prov("apply", "--yes")

    assert _erased(lab) == [("workers-2", "/dev/vdb", 1)]
    assert "seen empty" in lab.prov("state", "runs").stdout
