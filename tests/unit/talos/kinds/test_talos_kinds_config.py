"""Delivering a configuration, changing it, and reading it back."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from provisioner.sdk import (
    Absent,
    Address,
    Done,
    Fatal,
    FieldChange,
    OperatorNeeded,
    Pending,
    Retry,
    Seen,
    Unreachable,
    leaves,
)
from provisioner.talos.api.access import Foreign, Maintenance, Member, Silent
from provisioner.talos.api.errors import Rejected
from provisioner.talos.kinds.config import ConfigKind
from provisioner.talos.kinds.node import digest_of

KIND = ConfigKind()
HOST = "host-control-1"


def resumed(job: Any, answer: Any) -> Any:
    """The job as the engine calls again after storing an answer."""
    assert isinstance(answer, Pending)
    return evolve(job, phase=answer.phase, memo=answer.memo)


def announced(cluster: Any, job: Any, ctx: Any) -> Any:
    """The job once it is on record that this boot has to end; nothing was asked of the machine for that."""
    answer = KIND.update(cluster, job, ctx)
    assert answer.note == "is going to reboot for its configuration"
    assert cluster.asked == []
    return resumed(job, answer)


class TestCreate:
    def test_waits_for_a_machine_that_does_not_answer(self, fresh, ctx, config_job, make_props):
        fresh.off("control-1", "connection refused")
        answer = KIND.create(fresh, config_job(make_props("control-1")), ctx)
        assert isinstance(answer, Pending)
        assert answer.note == "waits for the machine to answer (connection refused)"
        assert fresh.asked == []

    def test_hands_the_configuration_to_a_machine_in_maintenance_once(self, fresh, ctx, config_job, make_props):
        job = config_job(make_props("control-1"))
        job = resumed(job, KIND.create(fresh, job, ctx))
        job = resumed(job, KIND.create(fresh, job, ctx))  # it says it is installing
        fresh.machines[HOST] = Maintenance("maintenance")  # not changed over yet
        answer = KIND.create(fresh, job, ctx)
        assert fresh.asked == [("apply", HOST, True)]
        assert isinstance(answer, Pending)

    def test_hands_it_over_again_to_a_machine_that_stays_in_maintenance(self, fresh, ctx, config_job, make_props):
        job = config_job(make_props("control-1"))
        job = resumed(job, KIND.create(fresh, job, ctx))
        fresh.machines[HOST] = Maintenance("maintenance")
        ctx.passes(31)
        KIND.create(fresh, job, ctx)
        assert fresh.asked == [("apply", HOST, True)] * 2

    @pytest.mark.parametrize("verb", [KIND.create, KIND.update])
    def test_what_a_provider_brings_itself_is_never_handed_to_who_waits_in_maintenance(
        self, fresh, ctx, config_job, make_props, verb
    ):
        """The provider knows its machine; who answers at its address may be anybody."""
        fresh.machines[HOST] = Maintenance("maintenance")
        with pytest.raises(OperatorNeeded, match="in place of a node"):
            verb(fresh, config_job(evolve(make_props("control-1"), delivery="provider")), ctx)
        assert fresh.asked == []

    def test_a_lost_answer_to_the_delivery_is_settled_by_looking(
        self, fresh, ctx, config_job, make_props, make_machine
    ):
        fresh.lose_replies = True
        job = config_job(make_props("control-1"))
        job = resumed(job, KIND.create(fresh, job, ctx))
        fresh.machines[HOST] = make_machine(job.wanted, stage="booting", ready=False)
        assert isinstance(KIND.create(fresh, job, ctx), Done)
        assert fresh.asked == [("apply", HOST, True)]

    def test_is_done_when_the_machine_boots_with_the_wanted_configuration(
        self, fresh, ctx, config_job, make_props, make_machine
    ):
        wanted = make_props("control-1")
        fresh.machines[HOST] = make_machine(wanted, stage="booting", ready=False)
        answer = KIND.create(fresh, config_job(wanted), ctx)
        assert isinstance(answer, Done)
        assert (answer.outputs.id, answer.outputs.digest) == ("control-1", digest_of(wanted.text))
        assert fresh.asked == []

    def test_waits_while_the_machine_installs(self, fresh, ctx, config_job, make_props, make_machine):
        wanted = make_props("control-1")
        fresh.machines[HOST] = make_machine(wanted, stage="installing")
        answer = KIND.create(fresh, config_job(wanted), ctx)
        assert isinstance(answer, Pending)
        assert answer.note == "is installing"

    def test_a_machine_born_with_an_older_configuration_gets_the_wanted_one(
        self, fresh, ctx, config_job, make_props, make_machine
    ):
        fresh.machines[HOST] = make_machine(make_props("control-1"))
        wanted = make_props("control-1", sysctls={"a": "b"})
        job = config_job(wanted)
        job = resumed(job, KIND.create(fresh, job, ctx))
        assert isinstance(KIND.create(fresh, job, ctx), Done)
        assert fresh.asked == [("apply", HOST, False)]

    def test_a_machine_of_another_cluster_needs_a_person(self, fresh, ctx, config_job, make_props):
        fresh.machines[HOST] = Foreign("it wants a client certificate of another authority")
        with pytest.raises(OperatorNeeded, match="belongs to somebody else") as caught:
            KIND.create(fresh, config_job(make_props("control-1")), ctx)
        assert "wipe it" in caught.value.remedy
        assert fresh.asked == []

    def test_another_node_at_the_machines_address_needs_a_person(
        self, fresh, ctx, config_job, make_props, make_machine
    ):
        fresh.machines[HOST] = make_machine(make_props("worker-7", "worker"))
        with pytest.raises(OperatorNeeded) as caught:
            KIND.create(fresh, config_job(make_props("control-1")), ctx)
        assert caught.value.detail == "control-1 at host-control-1: it is the node worker-7 of this cluster"
        assert fresh.asked == []

    def test_a_rejection_names_what_is_wrong_without_the_secrets_it_quotes(self, fresh, ctx, config_job, make_props):
        fresh.error = Rejected(HOST, "unknown key: machine.tokne: planted-token")
        with pytest.raises(Fatal) as caught:
            KIND.create(fresh, config_job(make_props("control-1")), ctx)
        assert caught.value.detail == "control-1: unknown key: machine.tokne: ***"
        assert caught.value.effect is False


class TestUpdate:
    def test_writes_nothing_when_nothing_differs(self, healthy, ctx, config_job, make_props):
        cluster = healthy()
        assert isinstance(KIND.update(cluster, config_job(make_props("control-1")), ctx), Done)
        assert cluster.asked == []

    def test_a_live_change_is_applied_once(self, healthy, ctx, config_job, make_props):
        cluster = healthy()
        job = config_job(make_props("control-1", sysctls={"a": "b"}))
        job = resumed(job, KIND.update(cluster, job, ctx))
        assert isinstance(KIND.update(cluster, job, ctx), Done)
        assert cluster.asked == [("apply", HOST, False)]

    def test_a_rebooting_change_is_done_after_the_next_boot_only(self, healthy, ctx, config_job, make_props):
        cluster = healthy()
        cluster.reboots = True
        job = announced(cluster, config_job(make_props("control-1", env={"A": "b"})), ctx)
        answer = KIND.update(cluster, job, ctx)
        assert answer.note == "reboots for its configuration"
        job = resumed(job, answer)
        cluster.set("control-1", active=job.wanted.text)  # in force, but still the old boot
        assert KIND.update(cluster, job, ctx).note == "is about to reboot"
        cluster.set("control-1", boot_id="boot-2", stage="booting", ready=False, unmet=("etcd: not running",))
        assert KIND.update(cluster, job, ctx).note == "etcd: not running"
        cluster.set("control-1", stage="running", ready=True)
        assert isinstance(KIND.update(cluster, job, ctx), Done)
        assert cluster.asked == [("apply", HOST, False)]

    def test_a_reboot_whose_announcement_was_lost_is_waited_for(self, healthy, ctx, config_job, make_props):
        cluster = healthy()
        cluster.reboots = cluster.lose_replies = True
        job = announced(cluster, config_job(make_props("control-1", env={"A": "b"})), ctx)
        job = resumed(job, KIND.update(cluster, job, ctx))
        assert KIND.update(cluster, job, ctx).note == "takes over its configuration"
        cluster.set("control-1", boot_id="boot-2", active=job.wanted.text)
        assert isinstance(KIND.update(cluster, job, ctx), Done)
        assert cluster.asked == [("apply", HOST, False)]

    def test_a_configuration_that_waits_for_a_reboot_is_sent_again_in_time(
        self, healthy, ctx, config_job, make_props
    ):
        cluster = healthy()
        wanted = make_props("control-1", env={"A": "b"})
        cluster.set("control-1", persistent=wanted.text)  # on disk, not in force
        job = announced(cluster, config_job(wanted), ctx)
        assert isinstance(KIND.update(cluster, job, ctx), Pending)
        assert cluster.asked == [("apply", HOST, False)]

    def test_a_node_of_a_cluster_without_etcd_need_only_boot(self, healthy, ctx, config_job, make_props):
        cluster = healthy(control_planes=1, workers=0)
        cluster.set("control-1", stage="booting", ready=False, services={}, members=None)
        assert isinstance(KIND.update(cluster, config_job(make_props("control-1")), ctx), Done)

    def test_a_control_plane_does_not_reboot_while_another_is_dead(self, healthy, ctx, config_job, make_props):
        cluster = healthy()
        cluster.off("control-3")
        with pytest.raises(Retry, match="no member to spare") as caught:
            KIND.update(cluster, config_job(make_props("control-1", env={"A": "b"})), ctx)
        assert "of 3 etcd members 1 are healthy" in caught.value.detail
        assert cluster.asked == []

    @pytest.mark.parametrize("known", [True, False])
    def test_one_of_two_waits_for_a_third_that_is_about_to_join(self, healthy, ctx, config_job, make_props, known):
        """Whether it is a learner by now or not known to etcd yet."""
        cluster = healthy()
        voters = tuple(Member(n, f"control-{n}", (f"https://host-control-{n}:2380",)) for n in (1, 2))
        learner = Member(3, "control-3", ("https://host-control-3:2380",), learner=True)
        for node in ("control-1", "control-2"):
            cluster.set(node, members=(*voters, learner) if known else voters)
        cluster.set("control-3", members=None, services={})
        with pytest.raises(Retry) as caught:
            KIND.update(cluster, config_job(make_props("control-1", env={"A": "b"})), ctx)
        assert caught.value.detail == "control-1: control-3 has yet to join etcd"
        assert cluster.asked == []

    def test_one_of_two_reboots_where_that_is_all_there_is(self, healthy, ctx, config_job, make_props):
        cluster = healthy(control_planes=2)
        KIND.update(cluster, announced(cluster, config_job(make_props("control-1", env={"A": "b"})), ctx), ctx)
        assert cluster.asked == [("apply", HOST, False)]

    def test_a_machine_that_does_not_reboot_by_itself_is_told_to(self, healthy, ctx, config_job, make_props):
        """As from Talos 1.14: it takes everything over and says nothing."""
        cluster = healthy()
        job = announced(cluster, config_job(make_props("control-1", env={"A": "b"})), ctx)
        job = resumed(job, KIND.update(cluster, job, ctx))
        answer = KIND.update(cluster, job, ctx)
        assert answer.note == "reboots for its configuration"
        job = resumed(job, answer)
        assert KIND.update(cluster, job, ctx).note == "is about to reboot"
        cluster.set("control-1", boot_id="boot-2")
        assert isinstance(KIND.update(cluster, job, ctx), Done)
        assert cluster.asked == [("apply", HOST, False), ("reboot", HOST)]

    def test_it_is_told_though_the_answer_to_the_delivery_was_lost(self, healthy, ctx, config_job, make_props):
        cluster = healthy()
        job = announced(cluster, config_job(make_props("control-1", env={"A": "b"})), ctx)
        KIND.update(cluster, job, ctx)  # and the process dies, its position is not stored
        cluster.lose_replies = True
        answer = KIND.update(cluster, job, ctx)
        assert answer.note == "reboots for its configuration"
        assert cluster.asked == [("apply", HOST, False), ("reboot", HOST)]

    def test_a_reboot_that_does_not_come_is_asked_for_again(self, healthy, ctx, config_job, make_props):
        cluster = healthy()
        job = announced(cluster, config_job(make_props("control-1", env={"A": "b"})), ctx)
        for _ in range(2):
            job = resumed(job, KIND.update(cluster, job, ctx))
        ctx.passes(31)
        KIND.update(cluster, job, ctx)
        assert cluster.asked == [("apply", HOST, False), ("reboot", HOST), ("reboot", HOST)]

    def test_it_is_not_told_while_another_control_plane_is_dead(self, healthy, ctx, config_job, make_props):
        cluster = healthy()
        job = announced(cluster, config_job(make_props("control-1", env={"A": "b"})), ctx)
        job = resumed(job, KIND.update(cluster, job, ctx))
        cluster.off("control-3")
        with pytest.raises(Retry, match="no member to spare"):
            KIND.update(cluster, job, ctx)
        assert cluster.asked == [("apply", HOST, False)]

    def test_a_live_change_may_happen_while_another_is_dead(self, healthy, ctx, config_job, make_props):
        cluster = healthy()
        cluster.off("control-3")
        KIND.update(cluster, config_job(make_props("control-1", sysctls={"a": "b"})), ctx)
        assert cluster.asked == [("apply", HOST, False)]


class TestRead:
    def test_reads_many_at_once_and_tells_silence_from_absence(self, healthy, ctx, config_job, make_props):
        cluster = healthy(control_planes=3, workers=0)
        cluster.machines["host-control-2"] = Maintenance("maintenance")
        cluster.machines["host-control-3"] = Silent("connection refused")
        jobs = [evolve(config_job(applied=make_props(f"control-{n}")), key=str(n)) for n in (1, 2, 3)]
        readings = KIND.read(cluster, jobs, ctx)
        assert isinstance(readings["1"], Seen)
        assert readings["2"] == Absent()
        assert readings["3"] == Unreachable("connection refused")

    def test_what_is_read_equals_what_is_recorded(self, healthy, ctx, config_job, make_props):
        recorded = make_props("control-1")
        reading = KIND.read(healthy(), [config_job(applied=recorded)], ctx)["k"]
        assert dict(leaves(reading.props["documents"])) == dict(leaves(recorded.documents))
        assert "planted-token" not in repr(reading)

    def test_a_staged_change_shows_as_drift(self, healthy, ctx, config_job, make_props):
        cluster = healthy()
        cluster.set("control-1", persistent=make_props("control-1", sysctls={"by": "hand"}).text)
        reading = KIND.read(cluster, [config_job(applied=make_props("control-1"))], ctx)["k"]
        assert reading.props["documents"][0]["machine"]["sysctls"] == {"by": "hand"}

    def test_another_node_at_the_recorded_address_tells_nothing(
        self, fresh, ctx, config_job, make_props, make_machine
    ):
        fresh.machines[HOST] = make_machine(make_props("worker-7", "worker"))
        reading = KIND.read(fresh, [config_job(applied=make_props("control-1"))], ctx)["k"]
        assert reading == Unreachable("it is the node worker-7 of this cluster")

    def test_a_node_without_a_machine_has_no_configuration(self, fresh, ctx, config_job):
        assert KIND.read(fresh, [config_job(name="worker-9")], ctx) == {"k": Absent()}


class TestPlanning:
    GOING = frozenset({Address("talos.config", "control-3"), Address("talos.config", "worker-1")})

    def test_a_node_that_answers_leaves(self, make_props):
        reading = Seen({"documents": make_props("control-3").documents})
        how, text = KIND.how(Address("talos.config", "control-3"), self.GOING, reading)
        assert how == "leave"
        assert "leaves etcd" in text

    def test_a_worker_leaves_without_a_word_of_etcd(self, make_props):
        reading = Seen({"documents": make_props("worker-1", "worker").documents})
        how, text = KIND.how(Address("talos.config", "worker-1"), self.GOING, reading)
        assert (how, "etcd" in text) == ("leave", False)

    def test_a_dead_node_is_removed_without_it(self):
        assert KIND.how(Address("talos.config", "control-3"), self.GOING, Unreachable("x"))[0] == "remove-member"

    def test_a_node_that_does_not_go_is_made_anew(self):
        how, text = KIND.how(Address("talos.config", "control-3"), frozenset(), Seen({}))
        assert how == "renew"
        assert text.endswith("then made anew")

    def test_with_the_secrets_goes_the_cluster(self):
        going = self.GOING | {Address("talos.secrets", "cluster")}
        for reading in (None, Unreachable("x"), Seen({})):
            assert KIND.how(Address("talos.config", "control-3"), going, reading)[0] == "teardown"

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            (("documents", 0, "machine", "sysctls", "a"), "live"),
            (("documents", 0, "machine", "env", "A"), "reboots the node"),
            (("documents", "HostnameConfig", "hostname"), "live"),
            (("documents", "EnvironmentConfig", "variables", "A"), "reboots the node"),
            (("host",), ""),
        ],
    )
    def test_a_change_tells_whether_it_reboots(self, path, expected):
        assert expected == KIND.consequence([FieldChange(path, "a", "b")])
