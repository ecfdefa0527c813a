"""Another type for a machine that stands: it is stopped, changed and started, one machine of a run at a time.

A machine that is registered at balancers goes only while all others there are well, and its turn ends once it is well
there itself. That etcd can spare a control plane is looked at before the plan comes here.
"""

from __future__ import annotations

from typing import Any

from prov_aws.client import Aws
from prov_aws.errors import Missing
from prov_aws.jobs import asked
from prov_aws.kinds.balancing import SERVICE
from prov_aws.made import Thing
from provisioner.sdk import Fatal, Job

_WELL = frozenset({"healthy", "unused", "unavailable"})
"""`unused` are groups without a balancer, and what does not run; `unavailable` those without checks."""


def change_type(aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
    """The next step towards the wanted type; gives a note about what is waited for."""
    id_, state = thing["InstanceId"], thing["State"]["Name"]
    if thing.get("InstanceLifecycle") == "spot":
        raise Fatal(
            "a machine on spare capacity keeps its type",
            detail=f"{id_} is a {thing['InstanceType']}, which EC2 cannot stop",
            remedy="put the type back, or give the machine another name, so that it is made anew",
            effect=False,
        )
    if not aws.take_turn(job.key):
        return "another machine changes its type first"
    match state:
        case "running":
            if others := _unwell(aws, job, id_, others=True):
                aws.end_turn(job.key)
                return f"it keeps running until others are well at the balancer: {', '.join(others)}"
            aws.call("ec2", "stop_instances", InstanceIds=[id_])
            return "it stops, to change its type"
        case "stopped":
            _write(aws, id_, asked(job).type)
            return "its type is changed"
    return f"it is {state}"


def end_of_turn(aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
    """Ends the turn of a machine that has its type; a note as long as it is not well at its balancers."""
    if not aws.has_turn(job.key):
        return ""
    if asked(job).power == "on" and _unwell(aws, job, thing["InstanceId"], others=False):
        return "it runs, and is not well at its balancers yet"
    aws.end_turn(job.key)
    return ""


def _write(aws: Aws, id_: str, type_: str) -> None:
    """Changes the type; a machine that cannot have it is started as it was."""
    try:
        aws.call("ec2", "modify_instance_attribute", InstanceId=id_, InstanceType={"Value": type_})
    except Missing:
        raise
    except Fatal:
        aws.call("ec2", "start_instances", InstanceIds=[id_])
        raise


def _unwell(aws: Aws, job: Job[Any, Any], id_: str, *, others: bool) -> list[str]:
    """The targets of a machine's groups that are not well: others than itself, or itself."""
    found: set[str] = set()
    for group in asked(job).targets:
        health = aws.call(SERVICE, "describe_target_health", TargetGroupArn=group)["TargetHealthDescriptions"]
        for one in health:
            state = one.get("TargetHealth", {}).get("State")
            if (one["Target"]["Id"] != id_) == others and state not in _WELL:
                found.add(one["Target"]["Id"])
    return sorted(found)
