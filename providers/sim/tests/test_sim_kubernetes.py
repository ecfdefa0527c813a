"""The Kubernetes API, asked by the official client."""

from __future__ import annotations

import base64
import socket
import ssl

import pytest
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException


def connect(cluster, organization="system:masters", host=""):
    """A client with a kubeconfig of that certificate organisation, or of no certificate."""
    user = cluster.secrets.kubernetes_user(organization) if organization else {}
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [
            {
                "name": "it",
                "cluster": {
                    "server": f"https://{host or cluster.host}:6443",
                    "certificate-authority-data": cluster.secrets.k8s.both["crt"],
                },
            }
        ],
        "users": [{"name": "it", "user": user}],
    }
    settings = client.Configuration()
    settings.retries = 0
    return config.new_client_from_config_dict(kubeconfig, client_configuration=settings)


def handshake(cluster, host, name):
    """A TLS handshake with the API at `host`, which must be good for `name`."""
    authority = base64.b64decode(cluster.secrets.k8s.both["crt"]).decode()
    context = ssl.create_default_context(cadata=authority)
    with socket.create_connection((host, 6443)) as raw, context.wrap_socket(raw, server_hostname=name):
        pass


def nodes(api):
    return {
        node.metadata.name: next(item.status for item in node.status.conditions if item.type == "Ready")
        for node in client.CoreV1Api(api).list_node().items
    }


def test_the_official_client_lists_the_nodes_through_the_balancer(cluster):
    cluster.make("cp-1", "cp-2", "w-1")
    api = connect(cluster)

    assert nodes(api) == {"cp-1": "True", "cp-2": "True", "w-1": "True"}
    assert client.VersionApi(api).get_code().git_version == "v1.36.3"
    node = client.CoreV1Api(api).read_node("cp-1")
    assert node.status.node_info.kubelet_version == "v1.36.3"
    assert node.status.node_info.os_image == "Talos (v1.13.9)"
    assert "node-role.kubernetes.io/control-plane" in node.metadata.labels
    assert {item.type: item.address for item in node.status.addresses} == {
        "Hostname": "cp-1",
        "InternalIP": cluster.sim.machine("cp-1")["address"],
    }


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_a_cluster_with_quorum_is_healthy(cluster, path):
    cluster.make("cp-1")
    answer = connect(cluster).rest_client.request("GET", f"https://{cluster.host}:6443{path}")
    assert (answer.response.status, answer.response.data) == (200, b"ok")


@pytest.mark.parametrize(("organization", "status"), [("", 401), ("somebody", 403)])
def test_only_administrators_are_answered(cluster, organization, status):
    cluster.make("cp-1")
    with pytest.raises(ApiException) as refused:
        nodes(connect(cluster, organization))
    assert refused.value.status == status


def test_a_powered_off_machines_node_is_not_ready(sim, cluster):
    cluster.make("cp-1", "w-1")
    sim.control.call("power", machine="w-1", action="off")
    assert nodes(connect(cluster)) == {"cp-1": "True", "w-1": "Unknown"}


def test_a_deleted_node_comes_back_only_with_a_boot_of_its_machine(sim, cluster):
    cluster.make("cp-1", "w-1")
    api = connect(cluster)

    client.CoreV1Api(api).delete_node("w-1")

    assert nodes(api) == {"cp-1": "True"}
    assert not sim.machine("w-1")["ready"]
    with pytest.raises(ApiException) as refused:
        client.CoreV1Api(api).delete_node("w-1")
    assert refused.value.status == 404
    sim.control.call("power", machine="w-1", action="reboot")
    sim.wait("w-1", ready=True)
    assert nodes(api) == {"cp-1": "True", "w-1": "True"}


def test_without_quorum_reads_fail(sim, cluster):
    cluster.make("cp-1", "cp-2")
    sim.control.call("power", machine="cp-2", action="off")
    with pytest.raises(ApiException) as refused:
        nodes(connect(cluster, host=sim.machine("cp-1")["address"]))
    assert refused.value.status == 500


def test_the_balancer_goes_round_the_living(sim, cluster):
    cluster.make("cp-1", "cp-2", "cp-3")
    sim.control.call("power", machine="cp-2", action="off")

    answers = [nodes(connect(cluster))["cp-2"] for _ in range(4)]

    assert answers == ["Unknown"] * 4


def test_a_balancer_without_control_planes_resets_connections(cluster):
    with pytest.raises(Exception, match=r"Connection aborted|reset|EOF"):
        nodes(connect(cluster))


def test_live_changes_show_on_the_node(cluster):
    cluster.make("cp-1")
    text = cluster.secrets.config(
        "controlplane",
        "cp-1",
        cluster.host,
        nodeLabels={"rack": "7"},
        kubelet={"image": "ghcr.io/siderolabs/kubelet:v1.35.1"},
    )

    cluster.admin("cp-1").apply(text)

    node = client.CoreV1Api(connect(cluster)).read_node("cp-1")
    assert (node.metadata.labels["rack"], node.status.node_info.kubelet_version) == ("7", "v1.35.1")


def test_a_name_that_a_live_change_adds_is_in_the_certificate(cluster):
    """A control plane that is reached at another endpoint from now on is trusted there at once."""
    cluster.make("cp-1")
    host = cluster.sim.machine("cp-1")["address"]

    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        handshake(cluster, host, "10.9.8.7")
    cluster.sim.control.call(
        "edit", machine="cp-1", path="cluster.apiServer.certSANs", value=[cluster.host, "10.9.8.7"]
    )
    handshake(cluster, host, "10.9.8.7")
