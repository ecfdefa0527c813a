"""etcd: one bootstrap, learners, quorum, leaving."""

from __future__ import annotations

from random import Random

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from prov_sim.machine.etcd import Domain

from provisioner.talos.api._wire import machine_pb2


def remove(talos, member):
    return talos.call("EtcdRemoveMemberByID", machine_pb2.EtcdRemoveMemberByIDRequest(member_id=member))


def voters(cluster):
    (etcd,) = cluster.etcds()
    return {member["name"] for member in etcd["members"] if not member["learner"]}


def test_a_second_bootstrap_is_refused_and_makes_nothing(cluster):
    cluster.make("cp-1")

    with pytest.raises(GRPCError) as refused:
        cluster.admin("cp-1").call("Bootstrap", machine_pb2.BootstrapRequest())

    assert refused.value.status is Status.ALREADY_EXISTS
    assert [item["bootstraps"] for item in cluster.sim.world()["clusters"]] == [1]


def test_control_planes_join_as_learners_and_become_voters(cluster):
    cluster.make("cp-1", "cp-2", "cp-3")

    members = cluster.admin("cp-2").members()

    assert sorted(members) == ["cp-1", "cp-2", "cp-3"]
    assert not any(member.is_learner for member in members.values())
    address = cluster.sim.machine("cp-3")["address"]
    assert members["cp-3"].peer_urls == [f"https://{address}:2380"]
    local = cluster.admin("cp-3").get("EtcdMembers.etcd.talos.dev", "local", "etcd")
    assert int(local["memberID"], 16) == members["cp-3"].id


def test_one_learner_at_a_time():
    domain = Domain("d", Random(1))
    etcd, first = domain.bootstrap("cp-1", "127.0.0.1")
    assert domain.joinable() is None
    first.up = True
    assert domain.joinable() is etcd

    learner = domain.join(etcd, "cp-2", "127.0.0.2")

    assert (learner.learner, etcd.quorum) == (True, 1)
    assert domain.joinable() is None
    learner.up, learner.learner = True, False
    assert domain.joinable() is etcd
    assert etcd.quorum == 2


def test_two_bootstraps_make_two_clusters_that_never_merge(sim, cluster):
    cluster.add("cp-1")
    cluster.bootstrap("cp-1")
    sim.wait("cp-1", ready=True)
    # A control plane that finds no etcd it can join, because the only one has lost its quorum.
    sim.control.call("power", machine="cp-1", action="off")
    cluster.add("cp-2")
    cluster.bootstrap("cp-2")
    sim.wait("cp-2", ready=True)
    sim.control.call("power", machine="cp-1", action="on")
    sim.wait("cp-1", ready=True)

    assert [item["bootstraps"] for item in sim.world()["clusters"]] == [2]
    assert [[member["name"] for member in etcd["members"]] for etcd in cluster.etcds()] == [["cp-1"], ["cp-2"]]


def test_without_quorum_nothing_is_healthy_and_nobody_joins(sim, cluster):
    cluster.make("cp-1", "cp-2", "cp-3")
    for name in ("cp-2", "cp-3"):
        sim.control.call("power", machine=name, action="off")

    cluster.add("cp-4")
    sim.wait("cp-4", etcd={"state": "Preparing", "member": "", "learner": False})

    assert not cluster.etcds()[0]["healthy"]
    assert voters(cluster) == {"cp-1", "cp-2", "cp-3"}
    assert not sim.machine("cp-1")["ready"]
    with pytest.raises(GRPCError) as refused:
        cluster.admin("cp-1").members()
    assert refused.value.status is Status.UNAVAILABLE
    local = cluster.admin("cp-1").call("EtcdMemberList", machine_pb2.EtcdMemberListRequest(query_local=True))
    assert len(local.messages[0].members) == 3

    sim.control.call("power", machine="cp-2", action="on")
    sim.wait("cp-4", ready=True)
    assert voters(cluster) == {"cp-1", "cp-2", "cp-3", "cp-4"}


def test_a_graceful_reset_leaves_etcd_wipes_and_powers_off(sim, cluster):
    cluster.make("cp-1", "cp-2", "cp-3")

    cluster.admin("cp-3").reset()

    gone = sim.wait("cp-3", power="off")
    assert (gone["config_digest"], gone["etcd"]["member"]) == ("", "")
    assert voters(cluster) == {"cp-1", "cp-2"}


def test_a_reset_without_grace_leaves_a_dead_member_behind(sim, cluster):
    cluster.make("cp-1", "cp-2", "cp-3")
    cluster.admin("cp-3").reset(graceful=False)
    sim.wait("cp-3", power="off")
    dead = cluster.admin("cp-1").members()["cp-3"].id

    remove(cluster.admin("cp-1"), dead)

    assert voters(cluster) == {"cp-1", "cp-2"}
    with pytest.raises(GRPCError) as refused:
        remove(cluster.admin("cp-1"), dead)
    assert refused.value.status is Status.NOT_FOUND


def test_a_reset_that_reboots_reads_its_user_data_again(sim, cluster):
    cluster.make("cp-1", "cp-2", "cp-3")
    before = sim.machine("cp-3")["etcd"]["member"]

    cluster.admin("cp-3").reset(reboot=True)

    after = sim.wait("cp-3", ready=True, boots=2)["etcd"]["member"]
    assert after != before
    assert voters(cluster) == {"cp-1", "cp-2", "cp-3"}


def test_the_last_member_cannot_leave(sim, cluster):
    cluster.make("cp-1")

    cluster.admin("cp-1").reset()

    kept = sim.wait("cp-1", error="reset failed: cannot leave etcd: etcdserver: the last member cannot be removed")
    assert (kept["power"], kept["stage"], kept["ready"]) == ("on", "running", True)


def test_a_member_does_not_leave_without_quorum(sim, cluster):
    cluster.make("cp-1", "cp-2")
    sim.control.call("power", machine="cp-2", action="off")

    cluster.admin("cp-1").reset()

    assert sim.wait("cp-1", error="reset failed: cannot leave etcd: etcdserver: request timed out")["power"] == "on"


def test_a_live_member_is_not_removed_when_that_would_cost_the_quorum(sim, cluster):
    cluster.make("cp-1", "cp-2", "cp-3")
    sim.control.call("power", machine="cp-3", action="die")
    admin = cluster.admin("cp-1")
    members = admin.members()

    with pytest.raises(GRPCError, match="not enough started members"):
        remove(admin, members["cp-2"].id)
    remove(admin, members["cp-3"].id)

    assert voters(cluster) == {"cp-1", "cp-2"}


def test_a_dead_machine_stays_a_member_and_never_comes_back(sim, cluster):
    cluster.make("cp-1", "cp-2", "cp-3")

    sim.control.call("power", machine="cp-2", action="die")
    sim.control.call("power", machine="cp-2", action="on")

    assert sim.machine("cp-2")["power"] == "dead"
    assert voters(cluster) == {"cp-1", "cp-2", "cp-3"}
    assert cluster.etcds()[0]["healthy"]


def test_before_bootstrap_there_is_no_etcd_to_ask(cluster):
    cluster.add("cp-1")
    cluster.sim.wait("cp-1", etcd={"state": "Preparing", "member": "", "learner": False})
    with pytest.raises(GRPCError) as refused:
        cluster.admin("cp-1").members()
    assert refused.value.status is Status.FAILED_PRECONDITION


def test_bootstrap_before_services_run_is_to_be_repeated(sim, cluster):
    """While Talos installs itself, etcd cannot begin."""
    sim.create("cp-1", platform="metal", time_scale=0)
    sim.wait("cp-1", stage="maintenance")
    text = cluster.secrets.config("controlplane", "cp-1", cluster.host, install={"disk": "/dev/sda"})
    sim.talos("cp-1").apply(text)
    sim.wait("cp-1", error="install failed: the disk that is wanted is not there; there is /dev/vda")

    with pytest.raises(GRPCError) as refused:
        cluster.admin("cp-1").call("Bootstrap", machine_pb2.BootstrapRequest())

    assert refused.value.status is Status.FAILED_PRECONDITION
