"""The gate: everything must hold, and what does not is named."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.sdk import Address, Done, Job, Pending
from provisioner.talos.api.access import Foreign, KubernetesNode, Maintenance, Member, Service
from provisioner.talos.handover import NodeStatus, node_status
from provisioner.talos.health.checks import CHECKS, examine, take_picture
from provisioner.talos.kinds.health import HealthGate, HealthProps

CONTROL_PLANES = ("control-1", "control-2", "control-3")
WORKERS = ("worker-1",)
JOB: Job[Any, Any] = Job(
    key="k",
    generation=1,
    address=Address("talos.health", "cluster"),
    wanted=HealthProps(CONTROL_PLANES, WORKERS, {}),
)


def failing(cluster: Any) -> dict[str, str]:
    """The sentences of the conditions that do not hold, by name."""
    found = examine(take_picture(cluster, CONTROL_PLANES, WORKERS))
    return {condition.name: condition.sentence for condition in found if not condition.holds}


def test_a_healthy_cluster_passes(healthy, ctx):
    answer = HealthGate().check(healthy(), JOB, ctx)
    assert isinstance(answer, Done)
    assert answer.outputs.id == "demo"


def test_what_is_missing_first_is_told_with_the_progress(healthy, ctx):
    cluster = healthy()
    cluster.kubernetes["worker-1"] = KubernetesNode("worker-1", False)
    answer = HealthGate().check(cluster, JOB, ctx)
    assert isinstance(answer, Pending)
    assert answer.note == "not ready: worker-1"
    assert answer.progress == pytest.approx((len(CHECKS) - 1) / len(CHECKS))


def test_a_silent_machine(healthy):
    cluster = healthy()
    cluster.off("worker-1", "connection refused")
    assert failing(cluster) == {
        "machines answer": "worker-1 does not answer (connection refused)",
        "machines have booted": "worker-1 does not answer",
    }


def test_a_machine_without_configuration_or_of_others(healthy):
    cluster = healthy()
    cluster.machines["host-control-1"] = Maintenance("maintenance")
    cluster.machines["host-worker-1"] = Foreign("another authority")
    expected = "control-1 is in maintenance; worker-1 does not answer (another authority)"
    assert expected == failing(cluster)["machines answer"]


def test_a_node_whose_address_is_not_known(healthy):
    cluster = healthy()
    del cluster.nodes["worker-1"]
    assert failing(cluster)["machines answer"] == "worker-1 has no known address"


def test_etcd_on_one_control_plane_is_down(healthy):
    cluster = healthy()
    cluster.set("control-2", services={"etcd": Service("Preparing", False), "kubelet": Service("Running", True)})
    assert failing(cluster)["etcd is healthy"] == "etcd on control-2 has not joined the others yet"


def test_two_clusters_of_etcd(healthy):
    cluster = healthy()
    cluster.set("control-3", members=(Member(9, "control-3"),))
    expected = "control planes have different member lists: control-1, control-2 / control-3"
    assert failing(cluster) == {"etcd members agree": expected}


def test_members_that_are_no_control_planes_and_learners(healthy):
    cluster = healthy()
    members = (Member(1, "control-1"), Member(2, "control-2", learner=True), Member(4, "old"))
    for node in CONTROL_PLANES:
        cluster.set(node, members=members)
    expected = "not in etcd: control-3; in etcd, but no control plane: old; still learning: control-2"
    assert failing(cluster) == {"etcd members are the control planes": expected}


def test_a_kubelet_is_down(healthy):
    cluster = healthy()
    cluster.set("control-1", services={"etcd": Service("Running", True)})
    assert failing(cluster) == {"kubelet is healthy on control planes": "not on: control-1"}


def test_a_machine_still_boots(healthy):
    cluster = healthy()
    cluster.set("worker-1", stage="booting", ready=False, unmet=("nodeReady: node is not ready",))
    assert failing(cluster) == {"machines have booted": "worker-1 is booting (nodeReady: node is not ready)"}


def test_kubernetes_does_not_answer(healthy):
    cluster = healthy()
    cluster.kubernetes = None
    assert failing(cluster) == {
        "Kubernetes answers": "the Kubernetes API does not answer",
        "Kubernetes has all nodes": "nodes not known",
        "Kubernetes nodes are ready": "nodes not known",
    }


def test_kubernetes_has_other_nodes(healthy):
    cluster = healthy()
    del cluster.kubernetes["worker-1"]
    cluster.kubernetes["ghost"] = KubernetesNode("ghost", True)
    assert failing(cluster) == {
        "Kubernetes has all nodes": "missing: worker-1; in Kubernetes, but no node: ghost",
        "Kubernetes nodes are ready": "not ready: worker-1",
    }


def test_the_node_table_lists_control_planes_first_and_says_what_is_wrong(healthy):
    cluster = healthy(control_planes=1, workers=2)
    cluster.off("worker-2", "no answer in time")
    host = "host-control-1"
    assert node_status(cluster) == [
        NodeStatus("control-1", "controlplane", host, "running", True, "member", "v1.13.9", "v1.36.3"),
        NodeStatus("worker-1", "worker", "host-worker-1", "running", True, "", "v1.13.9", "v1.36.3"),
        NodeStatus("worker-2", "worker", "host-worker-2", "silent", False, note="no answer in time"),
    ]
