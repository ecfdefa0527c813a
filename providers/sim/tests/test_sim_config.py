"""What a machine takes as configuration, and what a change of it does."""

from __future__ import annotations

import pytest
import yaml
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from prov_sim.machine.documents import BadConfig, decode, edited
from prov_sim.machine.effects import changed, reboot_reasons
from prov_sim.machine.release import Release
from prov_sim.machine.rules import accept

from provisioner.talos.api._wire import machine_pb2

V1_13 = Release.of("v1.13.9")
Mode = machine_pb2.ApplyConfigurationRequest.Mode


def with_root(text, change):
    root, *rest = yaml.safe_load_all(text)
    change(root)
    return yaml.safe_dump_all([root, *rest], sort_keys=False)


CASES = [
    (lambda root: root["machine"].update(colour="red"), "unknown key machine.colour"),
    (lambda root: root["cluster"].update(colour="red"), "unknown key cluster.colour"),
    (lambda root: root.update(colour="red"), "unknown key colour"),
    (lambda root: root.pop("cluster"), "cluster instructions are required"),
    (lambda root: root["machine"].update(type="boss"), "machine.type must be controlplane or worker"),
    (lambda root: root["machine"].update(token="short"), "machine.token must have the form"),
    (lambda root: root["cluster"].update(token="ABCDEF.0123456789abcdef"), "cluster.token must have the form"),
    (lambda root: root["machine"]["ca"].update(key=""), "machine.ca with certificate and key is required"),
    (lambda root: root["machine"]["ca"].update(crt="bm90IGEgY2VydA=="), "machine.ca is not a certificate"),
    (lambda root: root["machine"]["ca"].update(crt="%"), "machine.ca is not base64 of PEM"),
    (
        lambda root: root["machine"].update(ca=dict(root["cluster"]["ca"], crt=root["machine"]["ca"]["crt"])),
        "machine.ca does not belong to the certificate",
    ),
    (lambda root: root["cluster"]["controlPlane"].pop("endpoint"), "cluster.controlPlane.endpoint is required"),
    (lambda root: root["cluster"]["controlPlane"].update(endpoint="host"), "must be a URL"),
    (lambda root: root["cluster"].pop("secretboxEncryptionSecret"), "secretboxEncryptionSecret or"),
    (lambda root: root["cluster"].update(secret="c2hvcnQ="), "cluster.secret must be base64 of 32 bytes"),
    (lambda root: root["cluster"].pop("id"), "cluster.id must be set"),
    (lambda root: root["cluster"]["etcd"].clear(), "cluster.etcd.ca is required"),
    (lambda root: root["machine"]["kubelet"].update(image="x:v1.37.0"), "v1.37 of Kubernetes is not supported"),
    (lambda root: root["machine"].update(nodeTaints={"a": "b:Never"}), "effect of a must be one of"),
    (lambda root: root["machine"].update(features={"warp": True}), "unknown key machine.features.warp"),
    (lambda root: root["machine"].update(ca="text"), "a field has the wrong type (os ca)"),
    (lambda root: root.update(persist=False), "persist: false"),
]


@pytest.mark.parametrize(("change", "complaint"), CASES, ids=[complaint for _, complaint in CASES])
def test_a_control_plane_config_is_refused_for(made_secrets, change, complaint):
    text = with_root(made_secrets.config("controlplane", "cp-1", "host"), change)
    with pytest.raises(BadConfig) as refused:
        accept(text.encode(), mode="cloud", installed=True, release=V1_13)
    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda root, ours: root["machine"].update(ca=ours.os.both), "machine.ca.key must not be set on a worker"),
        (lambda root, ours: root["cluster"].update(ca=ours.k8s.both), "cluster.ca.key must not be set on a worker"),
        (lambda root, ours: root["cluster"].update(etcd={"ca": ours.etcd.both}), "for control planes only"),
    ],
)
def test_a_worker_must_not_carry_what_belongs_to_control_planes(made_secrets, change, complaint):
    ours = made_secrets
    text = with_root(ours.config("worker", "w-1", "host"), lambda root: change(root, ours))
    with pytest.raises(BadConfig, match=complaint):
        accept(text.encode(), mode="cloud", installed=True, release=V1_13)


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (
            "---\napiVersion: v1alpha1\nkind: KubeClusterConfig\nclusterName: x\n",
            "'KubeClusterConfig' v1alpha1: not registered",
        ),
        ("---\napiVersion: v1alpha1\nkind: HostnameConfig\nauto: stable\n", "HostnameConfig stands twice"),
        ("---\napiVersion: v1\nkind: OOMConfig\n", "apiVersion must be v1alpha1"),
        ("---\nversion: v1alpha1\n", "the v1alpha1 document stands twice"),
        ("---\na: 1\na: 2\nkind: X\n", "key 'a' stands twice"),
        ("---\na: [\n", "is not YAML"),
        ("---\njust text\n", "is not a mapping"),
    ],
)
def test_a_stream_is_refused_for(made_secrets, more, complaint):
    text = made_secrets.config("worker", "w-1", "host") + more
    with pytest.raises(BadConfig, match=complaint):
        accept(text.encode(), mode="cloud", installed=True, release=V1_13)


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("auto: stable\nhostname: x", "cannot be set together"),
        ("auto: maybe", "must be stable or off"),
        ("name: x", "unknown key HostnameConfig.name"),
        ("hostname: '-'", "is not a host name"),
    ],
)
def test_a_hostname_document_is_refused_for(document, complaint):
    with pytest.raises(BadConfig, match=complaint):
        accept(
            f"apiVersion: v1alpha1\nkind: HostnameConfig\n{document}\n".encode(),
            mode="cloud",
            installed=True,
            release=V1_13,
        )


def test_a_bare_off_is_a_word():
    text = "apiVersion: v1alpha1\nkind: HostnameConfig\nauto: off\nhostname: x\n"
    config = accept(text.encode(), mode="cloud", installed=True, release=V1_13)
    assert (config.documents[0]["auto"], config.hostname, config.complete) == ("off", "x", False)


def test_all_complaints_come_at_once(sim, cluster):
    sim.create("m")
    sim.wait("m", stage="maintenance")

    with pytest.raises(GRPCError) as refused:
        sim.talos("m").apply("version: v1alpha1\nmachine: {type: worker, colour: red}\ncluster: {size: 3}\n")

    assert refused.value.status is Status.INVALID_ARGUMENT
    for complaint in ("machine.colour", "cluster.size", "machine.token", "controlPlane.endpoint"):
        assert complaint in refused.value.message


@pytest.mark.parametrize(
    ("path", "reasons"),
    [
        ("machine.sysctls", ()),
        ("machine.nodeLabels", ()),
        ("machine.features.kubePrism", ()),
        ("cluster.clusterName", ()),
        ("debug", ()),
        ("HostnameConfig.hostname", ()),
        ("machine.token", ("machine.token",)),
        ("machine.env", ("machine.env",)),
        ("machine.features.diskQuotaSupport", ("machine.features.diskQuotaSupport",)),
    ],
)
def test_which_changes_wait_for_a_reboot(made_secrets, path, reasons):
    old = decode(made_secrets.config("worker", "w-1", "host").encode())
    assert reboot_reasons(changed(old, edited(old, path, "other")), V1_13) == reasons


def test_a_live_change_neither_reboots_nor_needs_anything(sim, cluster):
    cluster.make("cp-1")
    text = cluster.secrets.config("controlplane", "cp-1", cluster.host, nodeLabels={"rack": "7"})

    applied = cluster.admin("cp-1").apply(text)

    assert applied.mode == Mode.NO_REBOOT
    assert sim.machine("cp-1")["boots"] == 1
    assert cluster.admin("cp-1").get("MachineConfigs.config.talos.dev", "v1alpha1", "config") == text


def test_any_other_change_reboots_in_mode_auto(sim, cluster):
    cluster.make("cp-1")
    text = cluster.secrets.config("controlplane", "cp-1", cluster.host, env={"A": "b"})

    applied = cluster.admin("cp-1").apply(text)

    assert (applied.mode, applied.mode_details) == (Mode.REBOOT, "needs a reboot: machine.env")
    sim.wait("cp-1", ready=True, boots=2)
    assert cluster.admin("cp-1").get("MachineConfigs.config.talos.dev", "v1alpha1", "config") == text


def test_no_reboot_is_refused_where_a_reboot_is_needed(sim, cluster):
    cluster.make("cp-1")
    digest = sim.machine("cp-1")["config_digest"]
    text = cluster.secrets.config("controlplane", "cp-1", cluster.host, env={"A": "b"})

    with pytest.raises(GRPCError) as refused:
        cluster.admin("cp-1").apply(text, mode="NO_REBOOT")

    assert refused.value.status is Status.INVALID_ARGUMENT
    assert "machine.env" in refused.value.message
    assert sim.machine("cp-1")["config_digest"] == digest


def test_a_dry_run_tells_and_changes_nothing(sim, cluster):
    cluster.make("cp-1")
    digest = sim.machine("cp-1")["config_digest"]
    text = cluster.secrets.config("controlplane", "cp-1", cluster.host, env={"A": "b"})

    applied = cluster.admin("cp-1").apply(text, dry_run=True)

    assert applied.mode_details.startswith("needs a reboot: machine.env\n--- current\n+++ new\n")
    assert sim.machine("cp-1")["config_digest"] == digest


def test_a_staged_configuration_waits_on_disk(sim, cluster):
    cluster.make("cp-1")
    text = cluster.secrets.config("controlplane", "cp-1", cluster.host, env={"A": "b"})
    admin = cluster.admin("cp-1")

    admin.apply(text, mode="STAGED")

    configs = admin.list("MachineConfigs.config.talos.dev", "config")
    assert configs["persistent"] == text
    assert configs["v1alpha1"] != text


def test_a_running_machine_takes_no_partial_configuration(cluster):
    cluster.make("cp-1")
    with pytest.raises(GRPCError, match="doesn't contain v1alpha1"):
        cluster.admin("cp-1").apply("apiVersion: v1alpha1\nkind: HostnameConfig\nhostname: x\n")


def test_an_edit_behind_everybodys_back_shows_as_another_configuration(sim, cluster):
    cluster.make("cp-1")

    sim.control.call("edit", machine="cp-1", path="machine.sysctls", value={"vm.x": "1"})

    text = cluster.admin("cp-1").get("MachineConfigs.config.talos.dev", "v1alpha1", "config")
    assert next(iter(yaml.safe_load_all(text)))["machine"]["sysctls"] == {"vm.x": "1"}
