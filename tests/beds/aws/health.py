"""Target health as a balancer sees it: only what is registered, runs, and passes a check counts as healthy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen
from beds.aws.rules import Refusal, instead

if TYPE_CHECKING:
    from beds.aws.bed import Bed
    from beds.aws.calls import Call


@frozen
class Target:
    """A registered target: its id, its private address, and the port that it is called at."""

    id: str
    address: str
    port: int
    group: str


@instead("elbv2:DescribeTargetHealth")
def _describe_target_health(bed: Bed, call: Call) -> Mapping[str, Any]:
    group = bed.elbv2(call).target_groups.get(call.params["TargetGroupArn"])
    if group is None:
        raise Refusal("TargetGroupNotFound", "One or more target groups not found")
    asked = {target["Id"] for target in call.params.get("Targets", [])}
    registered = {id_: int(one.get("Port") or group.port) for id_, one in group.targets.items()}
    unknown = [(id_, int(group.port)) for id_ in sorted(asked - registered.keys())]
    shown = [item for item in registered.items() if not asked or item[0] in asked]
    return {
        "TargetHealthDescriptions": [
            {"Target": {"Id": id_, "Port": port}, "HealthCheckPort": str(port), "TargetHealth": state}
            for id_, port, state in (
                *((id_, port, _health(bed, call, group, id_, port)) for id_, port in shown),
                *((id_, port, _UNREGISTERED) for id_, port in unknown),
            )
        ]
    }


def healthy_targets(bed: Bed, call: Call, arn: str) -> Iterator[Target]:
    """The registered targets of a group that a balancer forwards to."""
    group = bed.elbv2(call).target_groups.get(arn)
    for id_, one in (group.targets if group is not None else {}).items():
        port = int(one.get("Port") or group.port)
        if _health(bed, call, group, id_, port)["State"] == "healthy":
            yield Target(id_, _address(bed, call, id_), port, arn)


_UNREGISTERED = {
    "State": "unused",
    "Reason": "Target.NotRegistered",
    "Description": "Target is not registered to the target group",
}


def _health(bed: Bed, call: Call, group: Any, id_: str, port: int) -> dict[str, str]:
    if not group.load_balancer_arns:
        return {
            "State": "unused",
            "Reason": "Target.NotInUse",
            "Description": "Target group is not configured to receive traffic from the load balancer",
        }
    address = _address(bed, call, id_)
    if not address:
        return {
            "State": "unused",
            "Reason": "Target.InvalidState",
            "Description": "Target is in the stopped or terminated state",
        }
    if bed.health(Target(id_, address, port, group.arn)):
        return {"State": "healthy"}
    return {"State": "unhealthy", "Reason": "Target.FailedHealthChecks", "Description": "Health checks failed"}


def _address(bed: Bed, call: Call, id_: str) -> str:
    """Where a target is called; empty for an instance that does not run."""
    if not id_.startswith("i-"):
        return id_
    found = [one for one in bed.ec2(call).all_instances() if one.id == id_ and one.state == "running"]
    return str(found[0].private_ip) if found else ""
