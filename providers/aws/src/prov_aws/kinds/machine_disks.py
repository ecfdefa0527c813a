"""The disks of a machine that outlive it: attached where the file says so, and taken off where it no longer does.

Only devices that the file names, or named, are looked at: others belong to whoever attached them, such as Kubernetes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prov_aws.client import Aws
from prov_aws.jobs import asked
from prov_aws.made import Thing
from provisioner.sdk import Job


def attached(job: Job[Any, Any], thing: Thing) -> dict[str, str]:
    """The disks at the devices that the file is about, by device."""
    named = {device for props in (job.wanted, job.applied) if props is not None for device in props.disks}
    return {device: disk for device, disk in _there(thing).items() if device in named}


def mend_disks(aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
    """Attaches and takes off what differs; a note while a device is not free for its disk."""
    wanted, there, id_ = asked(job).disks, attached(job, thing), thing["InstanceId"]
    surplus = {device: disk for device, disk in there.items() if wanted.get(device) != disk}
    for device, disk in sorted(surplus.items()):
        aws.call("ec2", "detach_volume", VolumeId=disk, InstanceId=id_, Device=device)
    if surplus.keys() & wanted.keys():
        return "a disk is taken off, to make room for another one"
    for device, disk in sorted(wanted.items()):
        if device not in there:
            aws.call("ec2", "attach_volume", VolumeId=disk, InstanceId=id_, Device=device)
    return ""


def _there(thing: Thing) -> Mapping[str, str]:
    mappings = thing.get("BlockDeviceMappings") or ()
    return {one["DeviceName"]: one["Ebs"]["VolumeId"] for one in mappings if one.get("Ebs", {}).get("VolumeId")}
