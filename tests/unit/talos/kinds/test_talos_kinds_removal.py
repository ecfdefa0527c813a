"""Taking nodes out, with a crash possible after every line."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from provisioner.sdk import ERASED, Absent, Done, Erasure, Fatal, OperatorNeeded, Pending, Retry, Seen, Unreachable
from provisioner.talos.api.access import Disk, Foreign, KubernetesNode, Maintenance, Member, Wipe
from provisioner.talos.kinds.config import ConfigKind
from provisioner.talos.kinds.node import ConfigOutputs

KIND = ConfigKind()


def resumed(job: Any, answer: Any) -> Any:
    assert isinstance(answer, Pending)
    return evolve(job, phase=answer.phase, memo=answer.memo)


def without(cluster: Any, node: str) -> Any:
    """The cluster as the client sees it once the file no longer names `node`."""
    cluster.control_planes.pop(node, None)
    cluster.nodes.pop(node, None)
    return cluster


@pytest.fixture
def leaving(config_job, make_props):
    def make(node: str, role: str = "controlplane", how: str = "leave", **given: Any) -> Any:
        return config_job(applied=make_props(node, role, **given), how=how)

    return make


class TestLeave:
    def test_a_control_plane_leaves_in_order(self, healthy, ctx, leaving):
        cluster, job = without(healthy(), "control-3"), leaving("control-3")
        job = resumed(job, KIND.delete(cluster, job, ctx))
        assert (job.phase, cluster.asked) == ("leaving", [])
        job = resumed(job, KIND.delete(cluster, job, ctx))
        assert cluster.asked == [("reset", "host-control-3", True, False)]
        answer = KIND.delete(cluster, job, ctx)
        assert answer.note == "drains, leaves and wipes itself"
        cluster.forget_member(3)
        cluster.machines.pop("host-control-3")
        assert Done(None) == KIND.delete(cluster, job, ctx)
        assert cluster.asked[-1] == ("delete_node", "control-3")

    def test_a_machine_that_got_its_configuration_by_api_returns_to_maintenance(self, healthy, ctx, leaving):
        cluster, job = without(healthy(), "worker-1"), leaving("worker-1", "worker", delivery="api")
        job = resumed(job, KIND.delete(cluster, job, ctx))
        job = resumed(job, KIND.delete(cluster, job, ctx))
        assert cluster.asked == [("reset", "host-worker-1", True, True)]
        cluster.machines["host-worker-1"] = Maintenance("maintenance")
        assert Done(None) == KIND.delete(cluster, job, ctx)

    def test_the_last_member_cannot_leave(self, healthy, ctx, leaving):
        cluster = without(healthy(control_planes=1), "control-1")
        with pytest.raises(OperatorNeeded, match="quorum") as caught:
            KIND.delete(cluster, leaving("control-1"), ctx)
        assert caught.value.detail == "control-1: it is the last etcd member"
        assert cluster.asked == []

    def test_no_member_leaves_while_the_rest_would_have_no_quorum(self, healthy, ctx, leaving):
        cluster = healthy()
        cluster.off("control-2")
        with pytest.raises(OperatorNeeded, match="quorum") as caught:
            KIND.delete(without(cluster, "control-3"), leaving("control-3"), ctx)
        assert "of 2 members that would stay 1 are healthy, and 2 are needed" in caught.value.detail
        assert cluster.asked == []

    def test_the_quorum_is_asked_again_when_the_intention_is_on_record(self, healthy, ctx, leaving):
        cluster = healthy()
        job = leaving("control-3")
        job = resumed(job, KIND.delete(without(cluster, "control-3"), job, ctx))
        cluster.off("control-2")
        with pytest.raises(OperatorNeeded, match="quorum"):
            KIND.delete(cluster, job, ctx)
        assert cluster.asked == []

    @pytest.mark.parametrize("newcomers", [(), (Member(2, "control-2", learner=True),)])
    def test_the_last_voter_stays_until_the_newcomer_has_a_vote(self, healthy, ctx, leaving, newcomers):
        cluster = healthy(control_planes=2)
        old = Member(1, "control-1", ("https://host-control-1:2380",))
        cluster.set("control-1", members=(old, *newcomers))
        cluster.set("control-2", members=(old, *newcomers) if newcomers else None, services={})
        without(cluster, "control-1")
        answer = KIND.delete(cluster, leaving("control-1"), ctx)
        assert answer.note == "stays until control-2 joined etcd"
        assert cluster.asked == []

    def test_a_learner_may_leave_at_any_time(self, healthy, ctx, leaving):
        cluster = healthy(control_planes=2)
        members = (Member(1, "control-1"), Member(2, "control-2", learner=True))
        cluster.set("control-1", members=members)
        cluster.set("control-2", members=members)
        answer = KIND.delete(without(cluster, "control-2"), leaving("control-2"), ctx)
        assert answer.phase == "leaving"

    def test_silence_before_anything_was_asked_is_no_leaving(self, healthy, ctx, leaving):
        cluster = healthy()
        cluster.off("worker-1")
        with pytest.raises(Retry, match="does not answer") as caught:
            KIND.delete(without(cluster, "worker-1"), leaving("worker-1", "worker"), ctx)
        assert "Kubernetes still hears from it" in caught.value.detail

    def test_a_node_that_died_after_the_plan_is_removed_when_kubernetes_misses_it_too(self, healthy, ctx, leaving):
        cluster, job = healthy(), leaving("control-3")
        cluster.off("control-3")
        cluster.kubernetes["control-3"] = KubernetesNode("control-3", False)
        without(cluster, "control-3")
        job = resumed(job, KIND.delete(cluster, job, ctx))
        assert KIND.delete(cluster, job, ctx) == Done(None)
        assert cluster.asked == [("remove_member", "host-control-1", 3), ("delete_node", "control-3")]
        assert ctx.said[0] == "control-3 cannot be asked, so it is removed without it"

    def test_again_it_is_quiet(self, healthy, ctx, leaving):
        cluster = healthy()
        cluster.off("control-3")
        cluster.forget_member(3)
        cluster.kubernetes.pop("control-3")
        assert KIND.delete(without(cluster, "control-3"), leaving("control-3"), ctx) == Done(None)

    @pytest.mark.parametrize("how", ["leave", "remove-member"])
    def test_before_there_is_etcd_nothing_holds_up_a_removal(self, healthy, ctx, leaving, how):
        cluster = healthy()
        for node in ("control-1", "control-2"):
            cluster.set(node, members=None, services={}, stage="booting")
        cluster.off("control-3")
        cluster.kubernetes = None
        assert KIND.delete(without(cluster, "control-3"), leaving("control-3", how=how), ctx) == Done(None)

    def test_a_crash_after_the_reset_is_settled_by_etcd(self, healthy, ctx, leaving):
        """The reset was asked for, but only the intention is on record."""
        cluster = healthy()
        cluster.off("control-3")
        cluster.forget_member(3)
        job = leaving("control-3")
        job = evolve(job, phase="leaving")
        assert Done(None) == KIND.delete(without(cluster, "control-3"), job, ctx)

    def test_a_crash_after_a_workers_reset_is_settled_by_kubernetes(self, healthy, ctx, leaving):
        cluster = healthy()
        cluster.off("worker-1")
        job = evolve(leaving("worker-1", "worker"), phase="leaving")
        without(cluster, "worker-1")
        assert isinstance(KIND.delete(cluster, job, ctx), Pending)
        cluster.kubernetes["worker-1"] = KubernetesNode("worker-1", False)
        assert Done(None) == KIND.delete(cluster, job, ctx)

    def test_a_reset_whose_answer_was_lost_is_not_asked_twice(self, healthy, ctx, leaving):
        cluster, job = without(healthy(), "control-3"), leaving("control-3")
        cluster.lose_replies = True
        job = resumed(job, KIND.delete(cluster, job, ctx))
        job = resumed(job, KIND.delete(cluster, job, ctx))
        KIND.delete(cluster, job, ctx)
        assert cluster.asked == [("reset", "host-control-3", True, False)]

    def test_a_reset_without_effect_is_asked_for_again(self, healthy, ctx, leaving):
        cluster, job = without(healthy(), "control-3"), leaving("control-3")
        job = evolve(job, phase="resetting", memo={"asked_at": ctx.now().isoformat()})
        assert isinstance(KIND.delete(cluster, job, ctx), Pending)
        assert cluster.asked == []
        ctx.passes(31)
        KIND.delete(cluster, job, ctx)
        assert cluster.asked == [("reset", "host-control-3", True, False)]

    def test_a_member_left_behind_by_a_reset_is_removed_by_another(self, healthy, ctx, leaving):
        cluster, job = healthy(), leaving("control-3")
        cluster.off("control-3")
        without(cluster, "control-3")
        job = evolve(job, phase="resetting", memo={"asked_at": ctx.now().isoformat()})
        assert KIND.delete(cluster, job, ctx).note == "leaves etcd"
        ctx.passes(31)
        job = resumed(job, KIND.delete(cluster, job, ctx))
        assert cluster.asked == [("remove_member", "host-control-1", 3)]
        assert Done(None) == KIND.delete(cluster, job, ctx)

    def test_a_machine_that_now_belongs_to_others_is_left_alone(self, healthy, ctx, leaving):
        cluster = healthy()
        cluster.machines["host-worker-1"] = Foreign("another authority")
        assert Done(None) == KIND.delete(without(cluster, "worker-1"), leaving("worker-1", "worker"), ctx)
        assert cluster.asked == [("delete_node", "worker-1")]

    @pytest.mark.parametrize("how", ["leave", "remove-member", "teardown"])
    def test_another_node_at_the_same_address_is_never_wiped(
        self, healthy, ctx, leaving, make_machine, make_props, how
    ):
        cluster = healthy()
        cluster.machines["host-worker-1"] = make_machine(make_props("worker-7", "worker"))
        assert KIND.delete(without(cluster, "worker-1"), leaving("worker-1", "worker", how=how), ctx) == Done(None)
        assert [request[0] for request in cluster.asked] in ([], ["delete_node"])

    def test_without_a_control_plane_to_tell_nothing_is_taken_for_left(self, healthy, ctx, leaving):
        cluster = healthy()
        for node in ("control-1", "control-2", "control-3"):
            cluster.off(node)
        with pytest.raises(Retry, match="no control plane"):
            KIND.delete(without(cluster, "control-3"), leaving("control-3", how="remove-member"), ctx)


class TestRenew:
    def test_what_was_never_finished_is_left_as_it_is(self, healthy, ctx, leaving):
        cluster = healthy()
        assert KIND.delete(cluster, leaving("control-3", how="renew"), ctx) == Done(None)
        assert cluster.asked == []

    def test_what_was_finished_leaves_in_order(self, healthy, ctx, leaving):
        job = evolve(leaving("control-3", how="renew"), outputs=ConfigOutputs("control-3", "d"))
        assert KIND.delete(healthy(), job, ctx).phase == "leaving"


class TestRemoveMember:
    def test_a_dead_control_plane_is_forgotten_by_etcd_and_kubernetes(self, healthy, ctx, leaving):
        cluster, job = healthy(), leaving("control-3", how="remove-member")
        cluster.off("control-3")
        without(cluster, "control-3")
        job = resumed(job, KIND.delete(cluster, job, ctx))
        assert Done(None) == KIND.delete(cluster, job, ctx)
        assert cluster.asked == [("remove_member", "host-control-1", 3), ("delete_node", "control-3")]
        assert "control-3" not in cluster.kubernetes

    def test_again_it_is_quiet(self, healthy, ctx, leaving):
        cluster = healthy()
        cluster.off("control-3")
        cluster.forget_member(3)
        cluster.kubernetes.pop("control-3")
        job = leaving("control-3", how="remove-member")
        assert Done(None) == KIND.delete(without(cluster, "control-3"), job, ctx)

    def test_a_lost_quorum_is_named(self, healthy, ctx, leaving):
        cluster = healthy()
        cluster.off("control-2")
        cluster.off("control-3")
        with pytest.raises(OperatorNeeded, match="quorum"):
            KIND.delete(without(cluster, "control-3"), leaving("control-3", how="remove-member"), ctx)
        assert cluster.asked == []

    def test_one_that_answers_after_all_leaves_in_order(self, healthy, ctx, leaving):
        cluster = without(healthy(), "control-3")
        answer = KIND.delete(cluster, leaving("control-3", how="remove-member"), ctx)
        assert answer.phase == "leaving"
        assert ctx.said == ["control-3 answers again, so it is asked to leave"]

    def test_a_dead_worker_needs_kubernetes_only(self, healthy, ctx, leaving):
        cluster = healthy()
        cluster.off("worker-1")
        job = leaving("worker-1", "worker", how="remove-member")
        assert Done(None) == KIND.delete(without(cluster, "worker-1"), job, ctx)
        assert cluster.asked == [("delete_node", "worker-1")]

    def test_an_unreachable_kubernetes_is_waited_for(self, healthy, ctx, leaving):
        cluster = healthy()
        cluster.off("worker-1")
        cluster.kubernetes = None
        with pytest.raises(Retry):
            KIND.delete(cluster, leaving("worker-1", "worker", how="remove-member"), ctx)


class TestTeardown:
    def test_every_machine_wipes_itself_without_regard_for_etcd(self, healthy, ctx, leaving):
        cluster, job = healthy(control_planes=1), leaving("control-1", how="teardown")
        job = resumed(job, KIND.delete(cluster, job, ctx))
        assert (job.phase, cluster.asked) == ("wiping", [])  # a cut-off run is settled, not planned over
        job = resumed(job, KIND.delete(cluster, job, ctx))
        assert KIND.delete(cluster, job, ctx).note == "wipes itself"
        cluster.off("control-1")
        assert Done(None) == KIND.delete(cluster, job, ctx)
        assert cluster.asked == [("reset", "host-control-1", False, False)]
        assert ctx.said == []

    def test_a_dead_machine_stays_as_it_is_and_people_are_told(self, healthy, ctx, leaving):
        cluster = healthy()
        cluster.off("control-2", "no answer in time")
        assert Done(None) == KIND.delete(cluster, leaving("control-2", how="teardown"), ctx)
        assert ctx.said == ["control-2 does not answer (no answer in time), so its disk keeps its data"]

    def test_a_refusal_holds_up_nothing(self, healthy, ctx, leaving):
        cluster = healthy()
        cluster.error = Fatal("the machine does not know the request")
        job = evolve(leaving("control-2", how="teardown"), phase="wiping")
        assert Done(None) == KIND.delete(cluster, job, ctx)
        assert "refuses to wipe itself" in ctx.said[0]

    def test_a_node_that_never_had_a_machine_is_quiet(self, healthy, ctx, config_job):
        assert Done(None) == KIND.delete(healthy(), config_job(name="worker-9", how="teardown"), ctx)


SDA = Disk("/dev/sda", about="Fast, serial 1, 480 GB", system=True, holds=("EFI", "STATE"))
SDB = Disk("/dev/sdb", ("/dev/disk/by-id/big",), "Big, serial 2, 4 TB", holds=("u-data",))
BOTH = ("/dev/sda", "/dev/sdb")


class TestErasure:
    @pytest.fixture
    def cluster(self, healthy):
        cluster = without(healthy(), "worker-1")
        cluster.hardware["host-worker-1"] = (SDA, SDB)
        return cluster

    @pytest.mark.parametrize("how", ["leave", "teardown"])
    def test_the_machine_is_asked_to_erase_what_is_named_and_the_end_is_on_record(self, cluster, ctx, leaving, how):
        """Its own disk goes as a whole, others by their paths; what it said of them is remembered."""
        job = leaving("worker-1", "worker", how=how, wipe=("/dev/sda", "/dev/disk/by-id/big"))
        job = resumed(job, KIND.delete(cluster, job, ctx))
        told = "/dev/sda (Fast, serial 1, 480 GB), /dev/sdb (Big, serial 2, 4 TB)"
        assert (job.memo["disks"], cluster.asked) == (told, [])
        job = resumed(job, KIND.delete(cluster, job, ctx))
        assert cluster.asked == [("reset", "host-worker-1", how == "leave", False, Wipe(True, ("/dev/sdb",)))]
        cluster.machines.pop("host-worker-1")
        job = resumed(job, KIND.delete(cluster, job, ctx))
        assert job.memo[ERASED] == f"{told}: agreed to erase, and has gone down"
        assert KIND.delete(cluster, job, ctx) == Done(None)

    @pytest.mark.parametrize("how", ["leave", "teardown"])
    @pytest.mark.parametrize(("wipe", "others"), [((), ()), (("/dev/sdb",), ("/dev/sdb",))], ids=["none", "named"])
    def test_who_is_started_from_elsewhere_keeps_nothing_of_talos(self, cluster, ctx, leaving, how, wipe, others):
        """Whatever is named: what a Talos leaves on a disk keeps the next one from being installed."""
        job = leaving("worker-1", "worker", how=how, delivery="provider", wipe=wipe)
        job = resumed(job, KIND.delete(cluster, job, ctx))
        KIND.delete(cluster, job, ctx)
        assert cluster.asked == [("reset", "host-worker-1", how == "leave", False, Wipe(True, others))]

    def test_a_machine_that_comes_back_without_its_system_powers_off_instead(self, cluster, ctx, leaving):
        """Born through the API it would return to maintenance, but has nothing left to boot from."""
        for wipe, reboot in ((("/dev/sdb",), True), (BOTH, False)):
            cluster.asked.clear()
            job = evolve(leaving("worker-1", "worker", delivery="api", wipe=wipe), phase="leaving")
            KIND.delete(cluster, job, ctx)
            assert cluster.asked[0][3] is reboot
            cluster.machines["host-worker-1"] = evolve(cluster.machines["host-worker-1"], stage="running")

    @pytest.mark.parametrize("how", ["leave", "remove-member", "teardown"])
    def test_in_maintenance_the_machine_says_what_is_left(self, cluster, ctx, leaving, how):
        """Also to a later run, which finds no node any more where an earlier one asked it to leave."""
        job = evolve(leaving("worker-1", "worker", how=how, delivery="api", wipe=("/dev/sdb",)), phase="resetting")
        cluster.machines["host-worker-1"] = Maintenance("maintenance")
        with pytest.raises(OperatorNeeded, match="is not empty") as caught:
            KIND.delete(cluster, job, ctx)
        assert caught.value.detail == "worker-1: /dev/sdb holds u-data"
        assert "--allow unwiped" in caught.value.remedy
        given_up = resumed(job, KIND.delete(cluster, evolve(job, how=f"{how}/unwiped"), ctx))
        assert given_up.memo[ERASED] == "/dev/sdb holds u-data"
        cluster.hardware["host-worker-1"] = (SDA, evolve(SDB, holds=()))
        job = resumed(job, KIND.delete(cluster, job, ctx))
        assert job.memo[ERASED] == "/dev/sdb (Big, serial 2, 4 TB): seen empty"
        assert KIND.delete(cluster, job, ctx) == Done(None)

    @pytest.mark.parametrize("how", ["leave", "remove-member"])
    @pytest.mark.parametrize(
        ("disk", "complaint"),
        [("/dev/sdz", "/dev/sdz is not there"), ("/dev/sdb", "/dev/sdb cannot be written")],
    )
    def test_a_disk_that_cannot_be_erased_holds_up_everything_unless_that_is_accepted(
        self, cluster, ctx, leaving, disk, complaint, how
    ):
        """Also where the node was taken for dead, and answers after all."""
        cluster.hardware["host-worker-1"] = (SDA, evolve(SDB, fixed=True))
        with pytest.raises(OperatorNeeded, match="cannot be") as caught:
            KIND.delete(cluster, leaving("worker-1", "worker", how=how, wipe=(disk,)), ctx)
        assert complaint in caught.value.detail
        assert "--allow unwiped" in caught.value.remedy
        assert cluster.asked == []
        job = leaving("worker-1", "worker", how=f"{how}/unwiped", wipe=("/dev/sda", disk))
        job = resumed(job, KIND.delete(cluster, job, ctx))
        KIND.delete(cluster, job, ctx)
        assert cluster.asked[0][4] == Wipe(True)
        assert complaint in "; ".join(ctx.said)

    @pytest.mark.parametrize("how", ["leave", "remove-member", "teardown"])
    @pytest.mark.parametrize(
        ("found", "state"),
        [
            (None, "does not answer (connection refused)"),
            (Maintenance("maintenance"), "runs without a configuration"),
            (Foreign("another authority"), "is not the node (another authority)"),
        ],
    )
    def test_a_machine_that_cannot_be_asked_is_not_given_up_silently(self, cluster, ctx, leaving, how, found, state):
        """The error names node, disks and the way to give the erasure up; that way leaves a trace on record."""
        cluster.machines.pop("host-worker-1")
        cluster.kubernetes["worker-1"] = KubernetesNode("worker-1", False)
        if found is not None:
            cluster.machines["host-worker-1"] = found
        with pytest.raises(OperatorNeeded, match="cannot be") as caught:
            KIND.delete(cluster, leaving("worker-1", "worker", how=how, wipe=BOTH), ctx)
        assert caught.value.detail == f"worker-1 at host-worker-1: /dev/sda, /dev/sdb: the machine {state}"
        assert "--allow unwiped" in caught.value.remedy
        job = leaving("worker-1", "worker", how=f"{how}/unwiped", wipe=BOTH)
        job = resumed(job, KIND.delete(cluster, job, ctx))
        assert "not erased, which was accepted" in job.memo[ERASED]
        assert KIND.delete(cluster, job, ctx) == Done(None)

    @pytest.mark.parametrize(("how", "phase"), [("leave", "leaving"), ("teardown", "wiping")])
    def test_a_run_cut_off_at_the_asking_goes_on_by_what_the_machine_shows(self, cluster, ctx, leaving, how, phase):
        """One that still runs is asked; one that resets is not asked twice; one that has gone is not waited for."""
        job = evolve(leaving("worker-1", "worker", how=how, wipe=BOTH), phase=phase)
        KIND.delete(cluster, job, ctx)
        assert [request[0] for request in cluster.asked] == ["reset"]
        KIND.delete(cluster, job, ctx)
        assert [request[0] for request in cluster.asked] == ["reset"]
        cluster.machines.pop("host-worker-1")
        cluster.kubernetes["worker-1"] = KubernetesNode("worker-1", False)
        job = resumed(job, KIND.delete(cluster, job, ctx))
        assert "was about to be asked, and has gone silent" in job.memo[ERASED]
        assert KIND.delete(cluster, job, ctx) == Done(None)

    def test_a_refusal_to_erase_is_told(self, cluster, ctx, leaving):
        cluster.error = Fatal("the machine does not know the request")
        job = evolve(leaving("worker-1", "worker", how="teardown", wipe=BOTH), phase="wiping")
        with pytest.raises(Fatal):
            KIND.delete(cluster, job, ctx)

    def test_a_node_that_is_made_anew_keeps_its_disks(self, cluster, ctx, leaving):
        job = evolve(leaving("worker-1", "worker", how="renew", wipe=BOTH), outputs=ConfigOutputs("worker-1", "d"))
        job = resumed(job, KIND.delete(cluster, job, ctx))
        KIND.delete(cluster, job, ctx)
        assert cluster.asked == [("reset", "host-worker-1", True, False)]

    def test_the_plan_tells_what_is_erased_and_what_is_in_the_way(self, make_props):
        props = {"wipe": BOTH}
        seen = KIND.erasure(props, "leave", Seen({}))
        dead = KIND.erasure(props, "remove-member", Unreachable("connection refused"))
        bare = KIND.erasure(props, "teardown", Absent())
        assert seen == Erasure(BOTH, "", "leave/unwiped")
        assert "connection refused" in (dead and dead.obstacle)
        assert "without a configuration" in (bare and bare.obstacle)
        assert KIND.erasure(props, "renew", Seen({})) is None
        assert KIND.erasure({}, "leave", Seen({})) is None
