"""The main job, by the real command on simulated machines: make, keep, change, remove."""

from __future__ import annotations

import signal
import stat
import time

import kubernetes.client
import kubernetes.config
import pytest
import yaml
from fakes.lab import Lab, cluster, steps_of

pytestmark = pytest.mark.slow

_REBOOTS = [{"machine": {"udev": {"rules": ['SUBSYSTEM=="drm"']}}}]
"""Patches that take effect with a reboot."""


def test_one_file_to_a_healthy_cluster_and_back_to_nothing(lab: Lab) -> None:
    """Apply makes it, plan finds nothing to do, destroy leaves nothing."""
    lab.write(cluster())

    first = lab.prov("plan", code=2)
    applied = lab.prov("apply", "--yes")

    assert "to create" in first.stdout
    assert "healthy" in applied.stdout
    lab.assert_settled(3, 2)
    assert "no changes" in lab.prov("plan").stdout
    assert lab.prov("apply", "--yes").returncode == 0
    lab.assert_settled(3, 2)

    lab.prov("destroy", "--yes")

    world = lab.sim()
    assert (world["machines"], world["balancers"]) == ([], [])
    assert list((lab.folder / ".prov").glob("*config")) == []
    assert "no changes" in lab.prov("plan", "--destroy").stdout


def test_machines_configured_through_the_maintenance_api(lab: Lab) -> None:
    """The other way of delivery: boot without user-data, apply, install, reboot."""
    document = cluster(1, 1)
    document["providers"]["sim"]["delivery"] = "api"
    lab.write(document)

    lab.prov("apply", "--yes")

    lab.assert_settled(1, 1)
    assert {(m["platform"], m["installed"]) for m in lab.machines().values()} == {("metal", True)}
    assert lab.json("plan")["empty"]
    lab.prov("destroy", "--yes")
    assert lab.sim()["machines"] == []


def test_the_handed_over_files_open_the_cluster(lab: Lab) -> None:
    """The official Kubernetes client lists all nodes with our kubeconfig; both files are private."""
    lab.write(cluster())
    lab.prov("apply", "--yes")
    kubeconfig, talosconfig = lab.folder / ".prov/lab.kubeconfig", lab.folder / ".prov/lab.talosconfig"

    client = kubernetes.config.new_client_from_config(str(kubeconfig))
    nodes = kubernetes.client.CoreV1Api(client).list_node().items

    assert [node.metadata.name for node in nodes] == ["control-1", "control-2", "control-3", "workers-1", "workers-2"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in (kubeconfig, talosconfig)] == [0o600, 0o600]
    machines = lab.machines()
    context = yaml.safe_load(talosconfig.read_text())["contexts"]["lab"]
    assert sorted(context["endpoints"]) == sorted(machines[f"control-{n}"]["address"] for n in (1, 2, 3))
    lab.prov("kubeconfig", "--out", "mine")
    assert stat.S_IMODE((lab.folder / "mine").stat().st_mode) == 0o600


def test_a_live_change_touches_configs_only(lab: Lab) -> None:
    """An edited sysctl is applied to every node without a reboot, and the plan names the line that sets it."""
    (lab.folder / "all.yaml").write_text('machine:\n  sysctls:\n    vm.max_map_count: "262144"\n')
    lab.write(cluster(patches=["all.yaml"]))
    lab.prov("apply", "--yes")
    boots = {name: machine["boots"] for name, machine in lab.machines().items()}

    (lab.folder / "all.yaml").write_text('machine:\n  sysctls:\n    vm.max_map_count: "300000"\n')
    plan = lab.prov("plan", code=2).stdout

    assert plan.count("~ talos.config/") == 5
    assert '"262144" → "300000"   (all.yaml:3)' in plan
    assert "live" in plan
    assert "sim.machine" not in plan
    lab.prov("apply", "--yes")
    assert {name: machine["boots"] for name, machine in lab.machines().items()} == boots
    assert lab.json("plan")["empty"]


def test_a_change_that_reboots_goes_through_control_planes_one_by_one(lab: Lab) -> None:
    """The plan says that nodes reboot; each control plane waits for the one before."""
    lab.write(cluster(3, 1))
    lab.prov("apply", "--yes")
    boots = {name: machine["boots"] for name, machine in lab.machines().items()}

    lab.write(cluster(3, 1, patches=_REBOOTS))
    view = lab.json("plan", code=2)

    steps = {step["id"]: step for step in view["steps"]}
    assert steps["update:talos.config/control-1"]["consequence"] == "reboots the node"
    assert "update:talos.config/control-1" in steps["update:talos.config/control-2"]["after"]
    assert "update:talos.config/control-2" in steps["update:talos.config/control-3"]["after"]
    lab.prov("apply", "--yes")
    assert {name: machine["boots"] for name, machine in lab.machines().items()} == {
        n: b + 1 for n, b in boots.items()
    }
    lab.assert_settled(3, 1)


def test_scaling_up_and_down(lab: Lab) -> None:
    """Only the nodes concerned appear; a control plane that leaves is taken out of etcd and Kubernetes."""
    lab.write(cluster(3, 1))
    lab.prov("apply", "--yes")

    lab.write(cluster(3, 2))
    assert lab.changes() == [
        ("create", "sim.machine/workers-2"),
        ("create", "talos.config/workers-2"),
        ("check", "talos.health/cluster"),
    ]
    lab.prov("apply", "--yes")
    lab.assert_settled(3, 2)

    lab.write(cluster(1, 1))
    view = lab.json("plan", code=2)
    assert {(verb, address) for verb, address in steps_of(view) if verb == "delete"} == {
        ("delete", f"{kind}/{node}")
        for kind in ("sim.machine", "talos.config")
        for node in ("control-2", "control-3", "workers-2")
    }
    assert {
        step["how"] for step in view["steps"] if step["address"].startswith("talos.config/") and "how" in step
    } == {"leave"}
    lab.prov("apply", "--yes")
    lab.assert_settled(1, 1)
    assert lab.json("plan")["empty"]


def test_drift_is_seen_and_mended(lab: Lab) -> None:
    """A configuration changed behind our back is put back; a machine that is gone is made anew."""
    lab.write(cluster(3, 2))
    lab.prov("apply", "--yes")
    worker = lab.machines()["workers-1"]

    lab.prov("sim", "fault", "edit", "workers-2", "machine.sysctls.x", "1")
    assert "changed outside prov" in lab.prov("plan", code=2).stdout
    lab.prov("apply", "--yes")
    assert lab.json("plan")["empty"]

    lab.prov("sim", "fault", "vanish", "workers-1")
    plan = lab.prov("plan", code=2).stdout
    assert "it is gone" in plan
    lab.prov("apply", "--yes")
    lab.assert_settled(3, 2)
    assert lab.machines()["workers-1"]["id"] != worker["id"]


def test_a_machine_that_was_switched_off_is_on_again_and_awaited(lab: Lab) -> None:
    """Nothing about its configuration changes, and still apply ends only when the cluster is healthy."""
    document = cluster(1, 1)
    document["providers"]["sim"]["time_scale"] = 0.1
    lab.write(document)
    lab.prov("apply", "--yes")
    lab.prov("sim", "fault", "off", "workers-1")

    assert lab.changes() == [("update", "sim.machine/workers-1"), ("check", "talos.health/cluster")]
    assert "not healthy" not in lab.prov("apply", "--yes").stdout
    lab.assert_settled(1, 1)


def test_a_dead_control_plane_is_removed_through_the_others(lab: Lab) -> None:
    """Its member is taken out of etcd by a living control plane, and the rest goes on."""
    lab.write(cluster(3, 1))
    lab.prov("apply", "--yes")
    lab.prov("sim", "fault", "die", "control-3")

    document = cluster(3, 1)
    document["pools"]["control"]["without"] = ["control-3"]
    lab.write(document)
    assert "remove-member" in lab.prov("plan", code=2).stdout
    lab.prov("apply", "--yes")
    lab.assert_settled(2, 1)


def test_a_dead_control_plane_is_made_anew(lab: Lab) -> None:
    """A machine that cannot be mended is replaced: the old member goes before the new one comes."""
    lab.write(cluster(3, 1))
    lab.prov("apply", "--yes")
    dead = lab.machines()["control-2"]
    lab.prov("sim", "fault", "die", "control-2")

    plan = lab.prov("plan", code=2).stdout

    assert "± sim.machine/control-2" in plan
    assert "± talos.config/control-2  (remove-member" in plan
    lab.prov("apply", "--yes")
    lab.assert_settled(3, 1)
    assert lab.machines()["control-2"]["id"] != dead["id"]


@pytest.mark.parametrize("after", ["dropped", "made anew"])
def test_a_dead_control_plane_is_seen_to_before_the_others_reboot(lab: Lab, after: str) -> None:
    """Until it is out of etcd there is no member to spare, so its turn is over before the others have theirs."""
    lab.write(cluster(3, 1))
    lab.prov("apply", "--yes")
    boots = {name: lab.machines()[name]["boots"] for name in ("control-1", "control-2")}
    lab.prov("sim", "fault", "die", "control-3")

    count = 2 if after == "dropped" else 3
    lab.write(cluster(count, 1, patches=_REBOOTS))
    steps = {step["id"]: step for step in lab.json("plan", code=2)["steps"]}
    lab.prov("apply", "--yes")

    back = ["create:talos.config/control-3"] if after == "made anew" else []
    assert steps["delete:talos.config/control-3"]["how"] == "remove-member"
    assert steps["update:talos.config/control-1"]["turn"] == [*back, "delete:talos.config/control-3"]
    assert steps["update:talos.config/control-2"]["turn"] == ["update:talos.config/control-1"]
    assert {name: lab.machines()[name]["boots"] for name in boots} == {name: n + 1 for name, n in boots.items()}
    lab.assert_settled(count, 1)
    assert lab.json("plan")["empty"]


@pytest.mark.parametrize("moment", ["is about to be wiped", "has been asked to wipe itself"])
def test_a_destroy_that_is_thought_better_of(lab: Lab, moment: str) -> None:
    """Killed while it wipes machines, and then applied again: what was wiped comes back, nothing hangs."""
    document = cluster(1, 2)
    document["providers"]["sim"]["time_scale"] = 0.05
    lab.write(document)
    lab.prov("apply", "--yes")
    run = lab.start("destroy", "--yes", "--json")
    assert run.stdout is not None
    for line in run.stdout:
        if '"StepProgress"' in line and moment in line:
            break
    run.kill()
    run.communicate()

    lab.prov("apply", "--yes", "--allow", "data-loss")

    world = lab.sim()
    assert [machine["name"] for machine in world["machines"] if not machine["ready"]] == []
    assert len(world["machines"]) == 3
    assert lab.json("plan")["empty"]


def test_a_saved_plan_is_done_exactly_or_refused(lab: Lab) -> None:
    """The file is enough to apply from; once the state has moved it is stale; altered it is refused."""
    lab.write(cluster(1, 1))
    lab.prov("plan", "--out", "first.plan", code=2)
    assert stat.S_IMODE((lab.folder / "first.plan").stat().st_mode) == 0o600
    lab.prov("apply", "--plan", "first.plan", "--yes")
    lab.assert_settled(1, 1)

    again = lab.prov("apply", "--plan", "first.plan", "--yes", code=1)
    assert "this plan is stale" in again.stderr
    assert "prov plan --out" in again.stderr

    lab.write(cluster(1, 2))
    lab.prov("plan", "--out", "second.plan", code=2)
    altered = (lab.folder / "second.plan").read_text().replace("workers-2", "workers-9")
    (lab.folder / "second.plan").write_text(altered)
    assert "altered" in lab.prov("apply", "--plan", "second.plan", "--yes", code=1).stderr
    lab.assert_settled(1, 1)


def test_a_second_run_is_locked_out_and_told_by_whom(lab: Lab) -> None:
    """While one apply works, another is refused; reading goes on."""
    document = cluster(1, 1)
    document["providers"]["sim"]["time_scale"] = 0.05
    lab.write(document)
    first = lab.start("apply", "--yes")
    wait_for(lambda: (lab.folder / ".prov/lab.db").exists() and "sim.machine" in lab_state(lab))
    first.send_signal(signal.SIGSTOP)  # so that it is still at work, however long the others take

    second = lab.prov("apply", "--yes", code=1)
    lab.prov("plan", code=2)
    first.send_signal(signal.SIGCONT)

    assert "another run is at work" in second.stderr
    assert f"process {first.pid}" in second.stderr
    assert first.wait(timeout=300) == 0
    first.communicate()
    lab.assert_settled(1, 1)


def test_ctrl_c_stops_in_good_order(lab: Lab) -> None:
    """Calls in flight finish, what was begun is on record, and the next run goes on."""
    document = cluster(3, 2)
    document["providers"]["sim"]["time_scale"] = 0.2
    lab.write(document)
    first = lab.start("apply", "--yes")
    wait_for(lambda: "sim.machine" in lab_state(lab))

    first.send_signal(signal.SIGINT)
    _, err = first.communicate(timeout=300)

    assert first.returncode == 3
    assert "run the same command again" in err
    document["providers"]["sim"]["time_scale"] = 0.01
    lab.prov("apply", "--yes")
    lab.assert_settled(3, 2)


def test_all_control_planes_are_replaced_in_one_apply_and_etcd_lives_on(lab: Lab) -> None:
    """The file names new control planes only: they join before the old ones leave, and nothing is bootstrapped."""
    for old, new in (("control", "cp"), ("cp", "control")):  # there with three, and back with one
        count = 3 if old == "control" else 1
        for name in (old, new):
            document = cluster()
            workers = document["pools"]["workers"]
            document["pools"] = {name: {**document["pools"]["control"], "count": count}, "workers": workers}
            lab.write(document)
            lab.prov("apply", "--yes")
            lab.assert_settled(count, 2)
        assert lab.json("plan")["empty"]


def test_a_saved_plan_can_be_the_end_of_everything(lab: Lab) -> None:
    """It is applied like any other, and the files that led to the cluster go as well."""
    lab.write(cluster(1, 0))
    lab.prov("apply", "--yes")
    lab.prov("plan", "--destroy", "--out", "end.plan", code=2)

    done = lab.prov("apply", "--plan", "end.plan", "--yes")

    assert "lab is gone" in done.stderr
    assert lab.sim()["machines"] == []
    assert list((lab.folder / ".prov").glob("*config")) == []


def test_outputs_are_published(lab: Lab) -> None:
    """Outputs may name nodes and the endpoint."""
    lab.write(cluster(1, 0, outputs={"api": "${cluster.endpoint}", "ip": "${nodes.control-1.ip}"}))
    lab.prov("apply", "--yes")

    world = lab.sim()
    assert lab.json("output") == {
        "api": f"https://{world['balancers'][0]['address']}:6443",
        "ip": world["machines"][0]["address"],
    }
    assert lab.prov("output", "ip").stdout.strip() == world["machines"][0]["address"]


def wait_for(condition, seconds: float = 100.0) -> None:  # type: ignore[no-untyped-def]
    """Polls until a condition of another process holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def lab_state(lab: Lab) -> str:
    """The raw bytes of the state and its log, as text."""
    files = [lab.folder / ".prov/lab.db", lab.folder / ".prov/lab.db-wal"]
    return "".join(path.read_bytes().decode("latin-1") for path in files if path.exists())


def test_another_release_is_refused_but_does_not_bar_the_way_out(lab: Lab) -> None:
    """An edited version is no plan yet; looking and destroying go on."""
    lab.write(cluster(1, 0))
    lab.prov("apply", "--yes")
    lab.write(cluster(1, 0, kubernetes={"version": "v1.35.1"}))

    refused = lab.prov("plan", code=1)

    assert "cannot be moved to another release yet" in refused.stderr
    assert "cluster.yaml:" in refused.stderr
    lab.prov("apply", "--yes", code=1)
    assert lab.json("status")["healthy"]
    lab.prov("kubeconfig")
    lab.prov("destroy", "--yes")
    lab.prov("plan", code=2)


def test_a_saved_plan_that_scales_up(lab: Lab) -> None:
    """A plan made with other variables is applied as it was made, and judged by what it made."""
    document = cluster(1, "${var.workers}", variables={"workers": {"type": "int", "default": 1}})  # type: ignore[arg-type]
    lab.write(document)
    lab.prov("apply", "--yes")
    lab.prov("plan", "--out", "up.plan", "--var", "workers=2", code=2)

    applied = lab.prov("apply", "--plan", "up.plan", "--yes")

    lab.assert_settled(1, 2)
    assert "workers-2" in applied.stdout
    assert "not healthy" not in applied.stdout
