"""Bootstrap happens once, and is observed."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from provisioner.sdk import Absent, Address, Done, Job, Pending, Seen, Unreachable
from provisioner.talos.api.access import Maintenance, Member, Service
from provisioner.talos.api.errors import NotYet
from provisioner.talos.kinds.bootstrap import BootstrapKind, BootstrapProps

KIND = BootstrapKind()
JOB: Job[Any, Any] = Job(
    key="k", generation=1, address=Address("talos.bootstrap", "cluster"), wanted=BootstrapProps("control-1")
)


@pytest.fixture
def unborn(healthy):
    """Three control planes that wait for etcd."""
    cluster = healthy()
    for node in cluster.control_planes:
        waiting = {"etcd": Service("Preparing", False)}
        cluster.set(node, stage="booting", ready=False, services=waiting, members=None)
    cluster.kubernetes = None
    return cluster


def resumed(answer: Any) -> Any:
    assert isinstance(answer, Pending)
    return evolve(JOB, phase=answer.phase, memo=answer.memo)


def test_it_is_called_once_and_done_when_etcd_is_healthy(unborn, ctx):
    job = resumed(KIND.create(unborn, JOB, ctx))
    job = resumed(KIND.create(unborn, job, ctx))
    unborn.set("control-1", services={"etcd": Service("Running", False)})
    assert KIND.create(unborn, job, ctx).note == "etcd runs, but is not healthy yet"
    unborn.set("control-1", services={"etcd": Service("Running", True)}, members=(Member(1, "control-1"),))
    answer = KIND.create(unborn, job, ctx)
    assert isinstance(answer, Done)
    assert answer.outputs.id == "demo"
    assert unborn.asked == [("bootstrap", "host-control-1")]


def test_a_control_plane_out_of_sight_might_have_etcd_so_it_waits(unborn, ctx):
    unborn.off("control-3")
    answer = KIND.create(unborn, JOB, ctx)
    assert answer.note == "waits for control-3 to answer"
    assert unborn.asked == []


def test_etcd_on_another_control_plane_is_the_clusters_etcd(unborn, ctx):
    unborn.set("control-2", services={"etcd": Service("Running", True)}, members=(Member(2, "control-2"),))
    assert isinstance(KIND.create(unborn, JOB, ctx), Done)
    assert unborn.asked == []


def test_a_node_that_is_not_far_enough_is_asked_again(unborn, ctx):
    unborn.error = NotYet("host-control-1", "bootstrap is not available yet")
    answer = KIND.create(unborn, JOB, ctx)
    assert answer.note == "control-1 is not ready to bootstrap (bootstrap is not available yet)"
    unborn.error = None
    KIND.create(unborn, resumed(answer), ctx)
    assert unborn.asked == [("bootstrap", "host-control-1")] * 2


def test_a_lost_answer_is_settled_by_looking(unborn, ctx):
    unborn.lose_replies = True
    job = resumed(KIND.create(unborn, JOB, ctx))
    unborn.set("control-1", services={"etcd": Service("Running", True)}, members=(Member(1, "control-1"),))
    assert isinstance(KIND.create(unborn, job, ctx), Done)
    assert unborn.asked == [("bootstrap", "host-control-1")]


def test_a_bootstrap_that_a_reboot_made_forgotten_is_repeated_on_the_same_node(unborn, ctx):
    job = resumed(KIND.create(unborn, JOB, ctx))
    ctx.passes(61)
    KIND.create(unborn, job, ctx)
    assert unborn.asked == [("bootstrap", "host-control-1")] * 2


def test_an_installing_node_is_not_asked(unborn, ctx):
    unborn.set("control-1", stage="installing")
    assert KIND.create(unborn, JOB, ctx).note == "control-1 is installing"
    assert unborn.asked == []


def test_absent_only_if_every_control_plane_was_reached_and_none_has_etcd(unborn, ctx):
    assert KIND.read(unborn, [JOB], ctx) == {"k": Absent()}
    unborn.machines["host-control-3"] = Maintenance("maintenance")
    assert KIND.read(unborn, [JOB], ctx) == {"k": Absent()}
    unborn.off("control-2", "connection refused")
    assert KIND.read(unborn, [JOB], ctx) == {"k": Unreachable("control-2: connection refused")}


def test_one_control_plane_with_etcd_is_enough_to_see_it(healthy, ctx):
    cluster = healthy()
    cluster.off("control-1")
    cluster.off("control-2")
    assert isinstance(KIND.read(cluster, [JOB], ctx)["k"], Seen)


def test_its_removal_is_quiet_and_its_loss_is_not(healthy, ctx):
    cluster = healthy()
    assert Done(None) == KIND.delete(cluster, JOB, ctx)
    assert cluster.asked == []
    assert "etcd" in KIND.precious


def test_kubernetes_that_answers_has_etcd_behind_it_though_no_control_plane_is_known(healthy, unborn, ctx):
    """The file names new control planes only: they have no host or no etcd yet, and the old ones are not asked."""
    cluster = healthy()
    cluster.control_planes.clear()
    unborn.kubernetes = {}
    assert KIND.read(cluster, [JOB], ctx) == {"k": Seen({}, {"id": "demo"})}
    assert KIND.read(unborn, [JOB], ctx) == {"k": Seen({}, {"id": "demo"})}
    cluster.kubernetes = None
    assert KIND.read(cluster, [JOB], ctx) == {"k": Absent()}
