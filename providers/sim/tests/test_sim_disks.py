"""Disks besides the one that Talos is on."""

from __future__ import annotations

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from provisioner.talos.api._wire import machine_pb2

MODES = machine_pb2.ResetRequest.WipeMode


def parts(*labels):
    return [machine_pb2.ResetPartitionSpec(label=label, wipe=True) for label in labels]


def told(sim, what, machine):
    """The disks of one machine in a list of the world's; the daemon is that of other tests, too."""
    return [one["disk"] for one in sim.world()[what] if one["id"] == machine["id"]]


@pytest.fixture
def worker(sim, cluster):
    """A worker with two further disks, which it has filled."""
    cluster.make("cp-1")
    cluster.add("w-1", extra_disks=["/dev/vdb", "/dev/vdc"])
    sim.wait("w-1", filled=["/dev/vdb", "/dev/vdc"], ready=True)
    return cluster.admin("w-1")


def test_disks_and_what_is_on_them_are_told(worker):
    disks = worker.list("Disks.block.talos.dev")
    volumes = worker.list("DiscoveredVolumes.block.talos.dev")

    assert sorted(disks) == ["vda", "vdb", "vdc"]
    assert disks["vdb"]["devPath"] == "/dev/vdb"
    assert worker.get("SystemDisks.block.talos.dev", "system-disk")["devPath"] == "/dev/vda"
    assert sorted(name for name, volume in volumes.items() if volume.get("parent") == "vdb") == ["vdb1"]
    assert volumes["vda4"]["partitionLabel"] == "EPHEMERAL"


@pytest.mark.parametrize(
    ("request_", "erased"),
    [
        (
            {"system_partitions_to_wipe": parts("STATE", "EPHEMERAL"), "user_disks_to_wipe": ["/dev/vdb"]},
            ["/dev/vdb"],
        ),
        ({"user_disks_to_wipe": ["/dev/vdc", "/dev/vdb"]}, ["/dev/vda", "/dev/vdb", "/dev/vdc"]),
        ({"mode": MODES.SYSTEM_DISK}, ["/dev/vda"]),
        ({"mode": MODES.USER_DISKS, "user_disks_to_wipe": ["/dev/vdc"]}, ["/dev/vdc"]),
        ({"system_partitions_to_wipe": parts("STATE")}, []),
    ],
)
def test_a_reset_erases_what_it_names_and_the_world_remembers(sim, worker, request_, erased):
    worker.call("Reset", machine_pb2.ResetRequest(**request_))
    gone = sim.wait("w-1", power="off")

    assert told(sim, "erased", gone) == erased
    assert gone["filled"] == [disk for disk in ("/dev/vdb", "/dev/vdc") if disk not in erased]
    assert gone["installed"] is ("/dev/vda" not in erased)


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        ({"user_disks_to_wipe": ["/dev/vdz"]}, "no such user disk: /dev/vdz"),
        ({"user_disks_to_wipe": ["/dev/vda"]}, "/dev/vda is the system disk"),
        ({"mode": MODES.SYSTEM_DISK, "user_disks_to_wipe": ["/dev/vdb"]}, "in mode SYSTEM_DISK"),
        ({"mode": MODES.USER_DISKS, "system_partitions_to_wipe": parts("STATE")}, "in mode USER_DISKS"),
    ],
)
def test_what_cannot_be_erased_is_refused_before_anything_happens(sim, worker, request_, complaint):
    with pytest.raises(GRPCError, match=complaint) as refused:
        worker.call("Reset", machine_pb2.ResetRequest(**request_))

    assert refused.value.status is Status.INVALID_ARGUMENT
    machine = sim.machine("w-1")
    assert (machine["stage"], told(sim, "erased", machine)) == ("running", [])


def test_what_is_removed_with_data_on_it_is_told(sim, worker):
    machine = sim.machine("w-1")
    sim.control.call("delete_machine", key="key-w-1", lineage="L")

    assert told(sim, "taken_full", machine) == ["/dev/vdb", "/dev/vdc"]
