"""Clusters of each release of Talos, from nothing to nothing, by the real command on simulated machines.

The machines know which documents, keys and combinations their release takes, and how it goes on from there.
"""

from __future__ import annotations

from typing import Any

import pytest
from fakes.lab import Lab, cluster

from provisioner.talos.support import require

pytestmark = pytest.mark.slow

_ENVIRONMENT: dict[str, dict[str, Any]] = {
    "legacy": {"machine": {"env": {"http_proxy": "http://proxy.example.org"}}},
    "document": {
        "apiVersion": "v1alpha1",
        "kind": "EnvironmentConfig",
        "variables": {"http_proxy": "http://proxy.example.org"},
    },
}
"""One wish that takes a reboot, in the two forms there are."""


def _cluster(minor: str, delivery: str, *patches: Any) -> dict[str, Any]:
    document = cluster(1, 1, patches=list(patches))
    row = require(minor)
    document["talos"], document["kubernetes"] = {"version": row.newest}, {"version": row.kubernetes}
    document["providers"]["sim"]["delivery"] = delivery
    return document


@pytest.mark.parametrize(
    ("minor", "delivery", "form"),
    [
        ("1.11", "user_data", "legacy"),
        ("1.12", "api", "legacy"),
        ("1.13", "api", "document"),
        ("1.14", "user_data", "legacy"),
        ("1.14", "api", "document"),
    ],
)
def test_a_cluster_of_each_release_comes_up_changes_and_goes(lab: Lab, minor: str, delivery: str, form: str) -> None:
    """A change that needs a reboot gets one, whether the machine reboots by itself or not."""
    lab.write(_cluster(minor, delivery))
    lab.prov("apply", "--yes")
    lab.assert_settled(1, 1)
    before = lab.machines()

    lab.write(_cluster(minor, delivery, _ENVIRONMENT[form]))
    steps = {step["id"]: step for step in lab.json("plan", code=2)["steps"]}
    lab.prov("apply", "--yes")
    after = lab.machines()

    assert {machine["image"] for machine in before.values()} == {require(minor).newest}
    assert steps["update:talos.config/workers-1"]["consequence"] == "reboots the node"
    assert {name: machine["boots"] - before[name]["boots"] for name, machine in after.items()} == dict.fromkeys(
        before, 1
    )
    assert [machine["waits_for_boot"] for machine in after.values()] == [[], []]
    assert lab.json("plan")["empty"]

    lab.prov("destroy", "--yes")

    assert lab.sim()["machines"] == []
