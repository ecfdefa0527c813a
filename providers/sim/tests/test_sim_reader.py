"""Whether a machine runs from its disk, which its certificate alone does not tell."""

from __future__ import annotations

from datetime import UTC, datetime

from provisioner.talos.api.reader import runs_from_disk


def test_a_node_that_installs_itself_does_not_run_from_its_disk(sim, cluster):
    """It serves its API under the cluster's certificate all the same."""
    sim.create("cp-1", role="controlplane", platform="metal")
    sim.wait("cp-1", stage="maintenance")
    sim.talos("cp-1").apply(cluster.secrets.config("controlplane", "cp-1", cluster.host, install={"disk": "/dev/no"}))
    sim.wait("cp-1", stage="installing")

    assert cluster.admin("cp-1").get("MachineStatuses.runtime.talos.dev", "machine")["stage"] == "installing"
    assert not reads(sim.machine("cp-1")["address"], cluster.secrets.os)


def test_a_node_that_is_installed_does(sim, cluster):
    """Before etcd is bootstrapped, and to those alone who have its cluster's authority."""
    sim.create("cp-1", role="controlplane", platform="metal")
    sim.wait("cp-1", stage="maintenance")
    address = sim.machine("cp-1")["address"]

    assert not reads(address, cluster.secrets.os)

    sim.talos("cp-1").apply(
        cluster.secrets.config("controlplane", "cp-1", cluster.host, install={"disk": "/dev/vda"})
    )
    sim.wait("cp-1", installed=True, boots=2, stage="booting")

    assert reads(address, cluster.secrets.os)
    assert not reads(address, type(cluster.secrets)().os)
    assert not reads("127.64.255.254", cluster.secrets.os)


def reads(address, authority):
    return runs_from_disk(address, authority.crt, authority.pem_key, now=datetime.now(UTC))
