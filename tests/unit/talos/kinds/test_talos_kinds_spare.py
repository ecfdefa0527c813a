"""The gate that lets a control plane be away: only while etcd can do without it, and until it is back."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from provisioner.sdk import Address, Done, Job
from provisioner.talos.api.access import Configured, Maintenance, Member, Service
from provisioner.talos.kinds.spare import QuorumGate, QuorumOutputs, QuorumProps

DOWN = {"etcd": Service("Preparing", False), "kubelet": Service("Running", True)}


def missing(cluster: Any, ctx: Any, node: str, *, back: bool = False) -> str:
    """What the gate waits for; empty where it passes."""
    wanted = QuorumProps(node, back)
    job: Job[Any, Any] = Job(key="k", generation=1, address=Address("talos.quorum", node), wanted=wanted)
    answer = QuorumGate().check(cluster, job, ctx)
    if isinstance(answer, Done):
        assert answer == Done(QuorumOutputs(node))
        return ""
    return answer.note


def learner(cluster: Any, node: str) -> None:
    """Makes a node's member a learner, on every machine's list."""
    for host, machine in cluster.machines.items():
        if isinstance(machine, Configured) and machine.members:
            members = tuple(evolve(m, learner=True) if m.hostname == node else m for m in machine.members)
            cluster.machines[host] = evolve(machine, members=members)


def test_one_of_three_can_be_spared(healthy, ctx):
    assert missing(healthy(), ctx, "control-2") == ""


def test_while_one_of_three_is_down_no_other_can_be_spared(healthy, ctx):
    cluster = healthy()
    cluster.off("control-3")
    expected = "control-1 stays as it is: of 3 etcd members 1 are healthy, and 2 are needed for a quorum"
    assert expected == missing(cluster, ctx, "control-1")


def test_the_one_that_is_down_already_can_be(healthy, ctx):
    """So what was stopped by an earlier run is gone on with."""
    cluster = healthy()
    cluster.off("control-3")
    assert missing(cluster, ctx, "control-3") == ""


def test_a_machine_that_answers_without_its_etcd_is_no_help(healthy, ctx):
    cluster = healthy()
    cluster.set("control-3", services=DOWN, members=None)
    assert missing(cluster, ctx, "control-1").startswith("control-1 stays as it is")
    assert missing(cluster, ctx, "control-3") == ""


@pytest.mark.parametrize("down", [1, 2])
def test_of_five_one_may_be_down_besides(healthy, ctx, down):
    cluster = healthy(control_planes=5)
    for number in range(down):
        cluster.off(f"control-{5 - number}")
    assert (missing(cluster, ctx, "control-1") == "") == (down == 1)


def test_one_or_two_leave_no_choice_unless_more_are_about_to_join(healthy, ctx):
    assert missing(healthy(control_planes=1), ctx, "control-1") == ""
    assert missing(healthy(control_planes=2), ctx, "control-1") == ""

    cluster = healthy()
    cluster.forget_member(3)
    assert missing(cluster, ctx, "control-1") == "control-1 stays as it is: control-3 has yet to join etcd"


def test_nobody_is_spared_while_nobody_tells_who_is_in_etcd(healthy, ctx):
    cluster = healthy()
    for number in (1, 2, 3):
        cluster.off(f"control-{number}")
    silent = "etcd does not answer on control-1, control-2, control-3"
    assert missing(cluster, ctx, "control-1") == f"control-1 stays as it is: {silent}"
    assert missing(cluster, ctx, "control-1", back=True) == silent


def test_a_sole_control_plane_that_is_down_has_nothing_to_lose(healthy, ctx):
    cluster = healthy(control_planes=1)
    cluster.off("control-1")
    assert missing(cluster, ctx, "control-1") == ""
    assert missing(cluster, ctx, "control-1", back=True) == "etcd does not answer on control-1"


def test_without_etcd_anywhere_there_is_no_quorum_to_keep(healthy, ctx):
    cluster = healthy(control_planes=2)
    cluster.set("control-1", services=DOWN, members=None)
    cluster.machines["host-control-2"] = Maintenance("maintenance")
    assert missing(cluster, ctx, "control-1") == ""
    assert missing(cluster, ctx, "control-1", back=True) == ""

    up = {"etcd": Service("Running", False)}
    cluster.set("control-1", services=up, members=None)
    assert missing(cluster, ctx, "control-1") == "control-1 stays as it is: etcd does not answer on control-1"


def test_it_is_back_once_its_own_member_is_healthy(healthy, ctx):
    cluster = healthy()
    assert missing(cluster, ctx, "control-2", back=True) == ""

    cluster.set("control-2", services=DOWN, members=None)
    assert missing(cluster, ctx, "control-2", back=True) == "etcd's member control-2 is not back yet"

    cluster.forget_member(2)
    assert missing(cluster, ctx, "control-2", back=True) == "etcd has no member control-2 yet"


def test_the_member_of_another_that_is_down_is_no_reason_to_wait_for_this_one(healthy, ctx):
    cluster = healthy()
    cluster.off("control-3")
    assert missing(cluster, ctx, "control-2", back=True) == ""


def test_a_learner_can_be_spared_at_any_time(healthy, ctx):
    cluster = healthy()
    cluster.off("control-3")
    learner(cluster, "control-2")
    assert missing(cluster, ctx, "control-2") == ""


def test_it_asks_and_does_nothing(healthy, ctx):
    cluster = healthy()
    missing(cluster, ctx, "control-1")
    missing(cluster, ctx, "control-1", back=True)
    assert cluster.asked == []
    assert Member(1, "control-1", ("https://host-control-1:2380",)) in cluster.machines["host-control-1"].members
