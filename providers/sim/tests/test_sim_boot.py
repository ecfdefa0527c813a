"""From power to running, by both ways a configuration can arrive."""

from __future__ import annotations

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import NameOID
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from provisioner.talos.api._wire import machine_pb2


def test_a_machine_without_configuration_waits_in_maintenance(sim):
    sim.create("m")
    sim.wait("m", stage="maintenance")
    talos = sim.talos("m")

    name = talos.peer().subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    assert name == "maintenance-service.talos.dev"
    assert talos.get("MachineStatuses.runtime.talos.dev", "machine")["stage"] == "maintenance"
    version = talos.call("Version").messages[0]
    assert (version.version.tag, version.platform.name, version.platform.mode) == ("v1.13.9", "nocloud", "cloud")


def test_maintenance_gives_reader_rights_only(sim):
    sim.create("m")
    sim.wait("m", stage="maintenance")
    talos = sim.talos("m")

    for method, request in (
        ("Reset", machine_pb2.ResetRequest()),
        ("Bootstrap", machine_pb2.BootstrapRequest()),
    ):
        with pytest.raises(GRPCError) as refused:
            talos.call(method, request)
        assert refused.value.status is Status.PERMISSION_DENIED
    with pytest.raises(GRPCError) as refused:
        talos.get("MachineConfigs.config.talos.dev", "v1alpha1", "config")
    assert refused.value.status is Status.PERMISSION_DENIED


def test_on_metal_talos_installs_reboots_and_runs(sim, cluster):
    sim.create("cp-1", role="controlplane", platform="metal")
    before = sim.wait("cp-1", stage="maintenance")
    text = cluster.secrets.config("controlplane", "cp-1", cluster.host, install={"disk": "/dev/vda"})

    sim.talos("cp-1").apply(text)

    sim.wait("cp-1", installed=True, boots=2, stage="booting")
    cluster.bootstrap("cp-1")
    after = sim.wait("cp-1", ready=True)
    assert after["boot_id"] != before["boot_id"]
    admin = cluster.admin("cp-1")
    assert admin.get("SystemDisks.block.talos.dev", "system-disk") == {"diskID": "vda", "devPath": "/dev/vda"}
    assert admin.get("MachineConfigs.config.talos.dev", "v1alpha1", "config") == text
    assert admin.get("MachineStatuses.runtime.talos.dev", "machine") == {
        "stage": "running",
        "status": {"ready": True, "unmetConditions": []},
    }


def test_on_metal_an_install_section_is_required(sim, cluster):
    sim.create("cp-1", platform="metal")
    sim.wait("cp-1", stage="maintenance")

    with pytest.raises(GRPCError) as refused:
        sim.talos("cp-1").apply(cluster.secrets.config("controlplane", "cp-1", cluster.host))

    assert refused.value.status is Status.INVALID_ARGUMENT
    assert "machine.install is required" in refused.value.message
    assert sim.machine("cp-1")["config_digest"] == ""


def test_installing_to_a_disk_that_is_not_there_fails_visibly(sim, cluster):
    sim.create("cp-1", platform="metal")
    sim.wait("cp-1", stage="maintenance")
    config = cluster.secrets.config("controlplane", "cp-1", cluster.host, install={"disk": "/dev/sda"})

    sim.talos("cp-1").apply(config)

    failed = sim.wait("cp-1", error="install failed: the disk that is wanted is not there; there is /dev/vda")
    assert (failed["stage"], failed["installed"]) == ("installing", False)


def test_user_data_configures_a_cloud_machine_without_install_and_reboot(sim, cluster):
    cluster.add("cp-1")
    cluster.bootstrap("cp-1")

    machine = sim.wait("cp-1", ready=True)

    assert machine["boots"] == 1
    names = cluster.admin("cp-1").peer().extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert machine["address"] in [str(ip) for ip in names.get_values_for_type(x509.IPAddress)]
    assert names.get_values_for_type(x509.DNSName) == ["cp-1"]


def test_bad_user_data_leaves_the_machine_booting_and_unreachable(sim, wait_until):
    sim.create("m", user_data="version: v1alpha1\nmachine: {type: worker, colour: red}\n")

    wait_until(lambda: sim.machine("m")["error"])
    assert sim.machine("m")["stage"] == "booting"
    with pytest.raises(OSError, match="Connect call failed"):
        sim.talos("m").call("Version")


def test_the_error_of_bad_user_data_is_listed(sim, wait_until):
    sim.create("m", user_data="version: v1alpha1\nmachine: {type: worker, colour: red}\n")

    error = wait_until(lambda: sim.machine("m")["error"])

    assert error.startswith("user-data refused: ")
    assert "unknown key machine.colour" in error


def test_partial_user_data_leads_to_maintenance(sim):
    sim.create("m", user_data="apiVersion: v1alpha1\nkind: HostnameConfig\nhostname: early\n")
    assert sim.wait("m", stage="maintenance")["boots"] == 1


def test_before_bootstrap_a_control_plane_boots_on_with_etcd_unmet(sim, cluster):
    cluster.add("cp-1")
    sim.wait("cp-1", stage="booting", type="controlplane")
    until_open = sim.wait("cp-1", etcd={"state": "Preparing", "member": "", "learner": False})

    assert not until_open["ready"]
    status = cluster.admin("cp-1").get("MachineStatuses.runtime.talos.dev", "machine")
    assert status["stage"] == "booting"
    assert "etcd not healthy" in status["status"]["unmetConditions"][0]["reason"]


def test_a_worker_is_unreachable_until_a_control_plane_signs_its_certificate(sim, cluster):
    cluster.add("w-1")
    sim.wait("w-1", stage="booting", type="worker")
    with pytest.raises(OSError, match="Connect call failed"):
        cluster.admin("w-1").call("Version")

    cluster.add("cp-1")

    sim.wait("w-1", stage="running")
    assert cluster.admin("w-1").call("Version").messages[0].version.tag == "v1.13.9"


def test_a_worker_with_another_token_gets_no_certificate(sim, cluster):
    cluster.add("cp-1")
    sim.wait("cp-1", etcd={"state": "Preparing", "member": "", "learner": False})
    text = cluster.secrets.config("worker", "w-1", cluster.host, token="zzzzzz.0123456789abcdef")
    sim.create("w-1", user_data=text)

    cluster.add("w-2")
    sim.wait("w-2", stage="running")

    assert sim.machine("w-1")["stage"] == "booting"


def test_a_reboot_gives_a_new_boot_id_and_keeps_the_cluster(sim, cluster):
    cluster.make("cp-1")
    before = sim.machine("cp-1")

    sim.control.call("power", machine="cp-1", action="reboot")

    after = sim.wait("cp-1", ready=True, boots=2)
    assert after["boot_id"] != before["boot_id"]
    assert after["etcd"]["member"] == before["etcd"]["member"]


def test_a_held_machine_never_finishes_booting_until_it_is_released(sim):
    sim.create("m")
    sim.wait("m", stage="maintenance")
    sim.control.call("hold", machine="m", held=True)
    sim.control.call("power", machine="m", action="reboot")
    sim.create("other")
    sim.wait("other", stage="maintenance")
    sim.wait("m", stage="booting", boots=2)

    sim.control.call("hold", machine="m", held=False)

    sim.wait("m", stage="maintenance")


def test_time_takes_time_at_a_scale_above_zero(sim):
    """At a scale of 1 provisioning alone lasts seconds, so the machine cannot be up at once."""
    sim.create("m", time_scale=1)
    assert (sim.machine("m")["power"], sim.machine("m")["stage"]) == ("off", "off")


def test_config_documents_come_back_byte_for_byte(sim, cluster):
    text = "# a comment stays\n" + cluster.secrets.config("controlplane", "cp-1", cluster.host)
    sim.create("cp-1", user_data=text)
    sim.wait("cp-1", type="controlplane")
    cluster.bootstrap("cp-1")

    assert cluster.admin("cp-1").get("MachineConfigs.config.talos.dev", "persistent", "config") == text
    assert next(iter(yaml.safe_load_all(text)))["machine"]["type"] == "controlplane"


def test_reboot_and_shutdown_are_answered_before_they_happen(sim, cluster):
    """Both calls return; the machine comes back from the first and stays off after the second."""
    cluster.make("cp-1")
    admin = cluster.admin("cp-1")

    assert admin.call("Reboot", machine_pb2.RebootRequest()).messages[0].actor_id
    sim.wait("cp-1", boots=2, ready=True)
    assert admin.call("Shutdown", machine_pb2.ShutdownRequest()).messages[0].actor_id
    sim.wait("cp-1", power="off", stage="off")


def test_upgrades_are_refused_as_not_simulated(sim, cluster):
    """A machine without a disk of its own neither takes another system nor goes back to one."""
    cluster.make("cp-1")

    for method, request in (
        ("Upgrade", machine_pb2.UpgradeRequest(image="factory.talos.dev/metal-installer/x:v1.13.10")),
        ("Rollback", machine_pb2.RollbackRequest()),
    ):
        with pytest.raises(GRPCError) as refused:
            cluster.admin("cp-1").call(method, request)
        assert refused.value.status is Status.UNIMPLEMENTED
    assert sim.machine("cp-1")["boots"] == 1
