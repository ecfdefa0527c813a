"""Taking nodes out, with a crash possible after every line."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from provisioner.sdk import Done, Fatal, OperatorNeeded, Pending, Retry
from provisioner.talos.api.access import Foreign, KubernetesNode, Maintenance, Member
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
