"""Faults on demand, of the cloud and of the machine API."""

from __future__ import annotations

import pytest
from grpclib.exceptions import StreamTerminatedError
from prov_sim.control import ControlError

from provisioner.talos.api._wire import machine_pb2

CUT = (OSError, StreamTerminatedError)


@pytest.mark.parametrize("kind", ["throttled", "denied", "error"])
def test_a_failing_call_has_no_effect_and_the_next_succeeds(sim, kind):
    sim.control.call("fail", call="create_machine", kind=kind)

    with pytest.raises(ControlError) as refused:
        sim.create("m")

    assert refused.value.code == kind
    assert sim.world()["machines"] == []
    assert sim.create("m")["name"] == "m"


def test_a_fault_lasts_as_many_calls_as_asked(sim):
    sim.control.call("fail", call="list", kind="throttled", times=2)
    for _ in range(2):
        with pytest.raises(ControlError):
            sim.control.call("list")
    assert sim.control.call("list")["machines"] == []


def test_a_lost_answer_of_create_leaves_a_machine_that_the_same_key_finds(sim):
    sim.control.call("fail", call="create_machine", kind="lost")

    with pytest.raises(ControlError) as lost:
        sim.create("m")

    assert lost.value.code == "no-answer"
    (made,) = sim.world()["machines"]
    assert sim.create("m")["id"] == made["id"]


def test_a_lost_answer_of_apply_is_applied_all_the_same(sim, cluster):
    sim.create("cp-1")
    sim.wait("cp-1", stage="maintenance")
    sim.control.call("fail", call="ApplyConfiguration", kind="lost", machine="cp-1")

    with pytest.raises(CUT):
        sim.talos("cp-1").apply(cluster.secrets.config("controlplane", "cp-1", cluster.host))

    sim.wait("cp-1", type="controlplane")
    cluster.bootstrap("cp-1")
    sim.wait("cp-1", ready=True)


def test_a_lost_answer_of_bootstrap_bootstraps_once(sim, cluster):
    cluster.add("cp-1")
    sim.control.call("fail", call="Bootstrap", kind="lost")

    with pytest.raises(CUT):
        cluster.bootstrap("cp-1")

    sim.wait("cp-1", ready=True)
    assert [item["bootstraps"] for item in sim.world()["clusters"]] == [1]


def test_a_fault_for_one_machine_spares_the_others(sim, cluster):
    cluster.make("cp-1", "cp-2")
    sim.control.call("fail", call="Version", kind="lost", machine="cp-2")

    cluster.admin("cp-1").call("Version")

    with pytest.raises(CUT):
        cluster.admin("cp-2").call("Version")
    cluster.admin("cp-2").call("Version")


@pytest.mark.parametrize(
    ("call", "kind"), [("dance", "error"), ("create_machine", "strange"), ("Bootstrap", "throttled")]
)
def test_a_fault_that_cannot_be_is_refused(sim, call, kind):
    with pytest.raises(ControlError) as refused:
        sim.control.call("fail", call=call, kind=kind)
    assert refused.value.code == "invalid"


def test_calls_are_counted_by_verb(own_sim):
    own_sim.create("m")
    own_sim.create("m")
    own_sim.wait("m", stage="maintenance")
    own_sim.talos("m").call("Version")

    calls = own_sim.world()["calls"]

    assert (calls["control"], calls["api"]) == ({"create_machine": 2}, {"Version": 1})


def test_a_machine_that_lost_power_is_silent_and_comes_back_with_its_disk(sim, cluster):
    cluster.make("cp-1")
    admin, digest = cluster.admin("cp-1"), sim.machine("cp-1")["config_digest"]

    sim.control.call("power", machine="cp-1", action="off")
    with pytest.raises(CUT):
        admin.call("Version")
    sim.control.call("power", machine="cp-1", action="on")

    assert sim.wait("cp-1", ready=True, boots=2)["config_digest"] == digest


def test_an_unknown_machine_is_said_to_be_unknown(sim):
    with pytest.raises(ControlError, match="0 machines are called 'nobody'"):
        sim.control.call("power", machine="nobody", action="off")


def test_removing_a_member_stops_its_etcd(sim, cluster):
    cluster.make("cp-1", "cp-2", "cp-3")
    admin = cluster.admin("cp-1")
    member = admin.members()["cp-3"].id

    admin.call("EtcdRemoveMemberByID", machine_pb2.EtcdRemoveMemberByIDRequest(member_id=member))

    failed = sim.wait("cp-3", error="etcd: this member was removed from its cluster")
    assert (failed["etcd"]["state"], failed["ready"]) == ("Failed", False)
