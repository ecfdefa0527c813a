"""What differs between the releases of Talos that machines can boot."""

from __future__ import annotations

import pytest
import yaml
from google.protobuf.empty_pb2 import Empty
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from prov_sim.control import ControlError
from prov_sim.machine.documents import BadConfig, decode
from prov_sim.machine.release import Release
from prov_sim.machine.rules import accept

from provisioner.talos.api._wire import machine_pb2

Mode = machine_pb2.ApplyConfigurationRequest.Mode
NEWEST = "v1.14.1"
INSTALL = {
    "kind": "UnattendedInstallConfig",
    "installer": {"image": "factory.talos.dev/metal-installer/x:v1.14.1"},
    "provisioning": {"diskSelector": {"match": 'disk.dev_path == "/dev/vda"'}},
}


def take(text, minor, mode="cloud"):
    return accept(text.encode(), mode=mode, installed=False, release=Release(minor))


@pytest.mark.parametrize("image", ["v1.10.9", "v1.15.0", "latest", "v2.13.0"])
def test_what_is_not_simulated_does_not_boot(sim, image):
    with pytest.raises(ControlError, match=r"boot Talos v1\.11, v1\.12, v1\.13, v1\.14, not"):
        sim.create("m", image=image)


@pytest.mark.parametrize("image", ["v1.11.6", "v1.12.11", "v1.13.9", "1.14.0-rc.1"])
def test_a_release_is_read_from_the_image(image):
    assert Release.of(image).minor == int(image.split(".")[1])


def test_kinds_and_keys_come_with_releases(made_secrets):
    text = made_secrets.config("worker", "w-1", "host")
    mount = text + "---\napiVersion: v1alpha1\nkind: VolumeConfig\nname: EPHEMERAL\nmount: {secure: true}\n"
    with pytest.raises(BadConfig, match="'HostnameConfig' v1alpha1: not registered"):
        take(text, 11)
    with pytest.raises(BadConfig, match=r"unknown key VolumeConfig\.mount"):
        take(mount, 12)
    assert take(mount, 13).documents[1]["name"] == "EPHEMERAL"


@pytest.mark.parametrize(
    ("minor", "image", "fits"),
    [(11, "v1.34.1", True), (11, "v1.36.3", False), (14, "v1.37.0", True), (14, "v1.31.0", False)],
)
def test_each_release_runs_its_versions_of_kubernetes(made_secrets, minor, image, fits):
    root = next(yaml.safe_load_all(made_secrets.config("worker", "w-1", "host")))
    root["machine"]["kubelet"]["image"] = f"ghcr.io/siderolabs/kubelet:{image}"
    text = yaml.safe_dump(root)
    if fits:
        assert take(text, minor).kubelet_version == image
    else:
        with pytest.raises(BadConfig, match=f"not supported by Talos v1.{minor}"):
            take(text, minor)


def test_documents_say_what_the_root_document_says_elsewhere(made_secrets):
    config = decode(made_secrets.config_in_documents("controlplane", "cp-1", "10.0.0.5").encode())
    older = decode(made_secrets.config("controlplane", "cp-1", "10.0.0.5").encode())
    assert (config.endpoint_host, config.discovers, config.kubernetes_version) == ("10.0.0.5", True, "v1.37.0")
    assert (config.domain_name, dict(config.kubernetes_ca)) == (older.domain_name, dict(older.kubernetes_ca))
    assert dict(config.presented("taints")) == {"gpu": "yes:NoExecute"}


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ({"kind": "KubeSchedulerConfig"}, "only allowed on control plane machines: KubeSchedulerConfig"),
        ({"kind": "UnattendedInstallConfig"}, r"provisioning\.diskSelector\.match is required"),
        ({"kind": "KubeletConfig", "image": "x:v1.20.0"}, "KubeletConfig stands twice"),
    ],
)
def test_a_configuration_of_1_14_is_refused_for(made_secrets, document, complaint):
    with pytest.raises(BadConfig, match=complaint):
        take(made_secrets.config_in_documents("worker", "w-1", "host", document), 14)


def test_what_is_said_in_both_forms_is_refused(made_secrets):
    root, *rest = yaml.safe_load_all(made_secrets.config_in_documents("worker", "w-1", "host"))
    root["machine"]["nodeLabels"] = {"a": "b"}
    with pytest.raises(BadConfig, match=r"KubeNodeConfig conflicts with machine\.nodeLabels"):
        take(yaml.safe_dump_all([root, *rest]), 14)


def test_a_cluster_of_1_14_comes_up(sim, cluster):
    for name, kind in (("cp-1", "controlplane"), ("w-1", "worker")):
        text = cluster.secrets.config_in_documents(kind, name, cluster.host)
        sim.create(name, role=kind, user_data=text, image=NEWEST)
    cluster.bootstrap("cp-1")
    for name in ("cp-1", "w-1"):
        sim.wait(name, ready=True)
    (etcd,) = cluster.etcds()
    assert [node["name"] for node in etcd["nodes"]] == ["cp-1", "w-1"]


def test_1_14_takes_everything_over_and_reboots_when_told(sim, cluster):
    text = cluster.secrets.config_in_documents("controlplane", "cp-1", cluster.host)
    sim.create("cp-1", role="controlplane", user_data=text, image=NEWEST)
    cluster.bootstrap("cp-1")
    sim.wait("cp-1", ready=True)
    proxy = {"kind": "EnvironmentConfig", "variables": {"http_proxy": "http://proxy"}}
    changed = cluster.secrets.config_in_documents("controlplane", "cp-1", cluster.host, proxy)
    admin = cluster.admin("cp-1")

    with pytest.raises(GRPCError) as refused:
        admin.apply(changed, mode="REBOOT")
    applied = admin.apply(changed)

    assert refused.value.status is Status.UNIMPLEMENTED
    assert applied.mode == Mode.NO_REBOOT
    machine = sim.machine("cp-1")
    assert (machine["boots"], machine["waits_for_boot"]) == (1, ["EnvironmentConfig"])
    admin.call("Reboot", machine_pb2.RebootRequest())
    sim.wait("cp-1", ready=True, boots=2, waits_for_boot=[])


@pytest.mark.parametrize(("image", "whole"), [("v1.12.11", False), ("v1.13.9", True)])
def test_maintenance_answers_readers_from_1_13(sim, image, whole):
    sim.create("m", image=image)
    sim.wait("m", stage="maintenance")
    if whole:
        assert sim.talos("m").call("Version", Empty()).messages[0].version.tag == image
    else:
        with pytest.raises(GRPCError) as refused:
            sim.talos("m").call("Version", Empty())
        assert refused.value.status is Status.UNIMPLEMENTED


def test_nobody_reboots_a_machine_in_maintenance(sim):
    sim.create("m")
    sim.wait("m", stage="maintenance")
    with pytest.raises(GRPCError) as refused:
        sim.talos("m").call("Reboot", machine_pb2.RebootRequest())
    assert refused.value.status is Status.PERMISSION_DENIED


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ((INSTALL,), {"installed": True, "boots": 2}),
        ((), {"error": "install failed: nothing tells which disk; there is /dev/vda"}),
    ],
)
def test_1_14_installs_where_a_document_says(sim, cluster, more, wanted):
    sim.create("cp-1", role="controlplane", platform="metal", image=NEWEST)
    sim.wait("cp-1", stage="maintenance")
    sim.talos("cp-1").apply(cluster.secrets.config_in_documents("controlplane", "cp-1", cluster.host, *more))
    sim.wait("cp-1", **wanted)
