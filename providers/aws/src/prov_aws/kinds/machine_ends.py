"""Machines that are not what was ordered: they end while they are made, or have another system disk.

EC2 takes an order, and finds out afterwards that it has no room or that a disk's key cannot be used: the machine ends
by itself, and tells why for about an hour.
"""

from __future__ import annotations

from typing import Any

from prov_aws.client import Aws
from prov_aws.made import Thing, as_filters
from provisioner.sdk import Fatal, Job

_REMEDIES = {
    "Client.InstanceInitiatedShutdown": "see what the machine says on its console in EC2, then apply again",
    "Client.InternalError": "see that the key of its disks can be used: its policy has to let whoever prov runs as "
    "make grants for it, and it must not be disabled",
    "Client.UserInitiatedShutdown": "apply again: it will be made anew; somebody ended it",
    "Client.VolumeLimitExceeded": "remove disks that are not needed, or ask for more under Service Quotas",
    "Server.InsufficientInstanceCapacity": "try again later, or take another `size` or other `zones`",
    "Server.SpotInstanceTermination": "try again later, raise `spot`, or take another `size`",
}
_ENDING = ("shutting-down", "terminated")


def refuse_ended(aws: Aws, job: Job[Any, Any]) -> None:
    """Raises Fatal where the machine that was made for a job has ended; what is not listed yet may still come."""
    if job.id is None:
        return
    filters = as_filters({"instance-id": [job.id]})
    for reservation in aws.pages("ec2", "describe_instances", "Reservations", Filters=filters):
        for thing in reservation["Instances"]:
            if thing["State"]["Name"] in _ENDING:
                raise ended(thing)


def check_root(wanted: Any, thing: Thing) -> None:
    """Raises Fatal where an image has its system disk elsewhere: what the file says of it went to another disk."""
    there = thing.get("RootDeviceName") or wanted.root_device
    if there != wanted.root_device:
        raise Fatal(
            "the image has its system disk at another device",
            detail=f"{wanted.image} has it at {there}, so that of {thing['InstanceId']} is neither as large nor as "
            "safe as the file says",
            remedy=f"add `root: {{device: {there}}}` to the pool, and apply: the machine is made anew",
        )


def ended(thing: Thing) -> Fatal:
    """The error for a machine that ended, with what EC2 says about it; nothing of it is left to be removed."""
    reason = thing.get("StateReason") or {}
    said = str(reason.get("Message") or thing.get("StateTransitionReason") or "EC2 does not say why")
    return Fatal(
        "the machine has ended while it was made",
        detail=f"{thing['InstanceId']}: {said}",
        remedy=_REMEDIES.get(str(reason.get("Code")), "apply again: it will be made anew"),
        effect=False,
    )
