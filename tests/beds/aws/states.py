"""States that last: what moto lets be there, or be gone, at once takes a while here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from beds.aws.rules import Refusal, after, before
from moto.ec2.models.instances import InstanceState, StateReason

if TYPE_CHECKING:
    from beds.aws.bed import Bed
    from beds.aws.calls import Call

_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


@after("ec2:RunInstances")
def _instances_are_pending(bed: Bed, call: Call, result: dict[str, Any]) -> None:
    ids = [made["InstanceId"] for made in result["Instances"]]
    if not bed.doomed:
        _lasting(bed, call, ids, "pending", "running")
        return
    _lasting(bed, call, ids, "pending", "terminated")
    for instance in bed.instances(call, ids):
        instance.state_reason = StateReason(bed.doomed, bed.doomed.partition(":")[0])
        bed.tokens.terminated(instance.id)


@after("ec2:StartInstances")
def _started(bed: Bed, call: Call, result: dict[str, Any]) -> None:
    _lasting(bed, call, (made["InstanceId"] for made in result["StartingInstances"]), "pending", "running")


@after("ec2:StopInstances")
def _stopped(bed: Bed, call: Call, result: dict[str, Any]) -> None:
    _lasting(bed, call, (made["InstanceId"] for made in result["StoppingInstances"]), "stopping", "stopped")


@after("ec2:TerminateInstances")
def _terminated(bed: Bed, call: Call, result: dict[str, Any]) -> None:
    ids = [made["InstanceId"] for made in result["TerminatingInstances"]]
    for id_ in ids:
        bed.tokens.terminated(id_)
    for instance in bed.instances(call, ids):
        for address in bed.ec2(call).addresses:
            if address.instance is instance:  # moto leaves it with the dead
                address.instance = address.eni = address.association_id = None
    _lasting(bed, call, ids, "shutting-down", "terminated")


@before("ec2:StopInstances", "ec2:StartInstances")
def _only_from_a_steady_state(bed: Bed, call: Call) -> None:
    for instance in bed.instances(call, call.params["InstanceIds"]):
        if instance.state in ("pending", "shutting-down", "terminated"):
            raise Refusal(
                "IncorrectInstanceState",
                f"The instance '{instance.id}' is not in a state from which it can be started or stopped.",
            )


@before("ec2:TerminateInstances")
def _terminated_once(bed: Bed, call: Call) -> None:
    """The steady state counts for moto: what is pending counts as running."""
    for instance in bed.instances(call, call.params["InstanceIds"]):
        bed.holds.forget(instance.id)


def _lasting(bed: Bed, call: Call, ids: Iterable[str], now: str, then: str) -> None:
    for instance in bed.instances(call, [*ids]):
        instance._state = InstanceState(now, _CODES[now])

        def end(instance: Any = instance) -> None:
            instance._state = InstanceState(then, _CODES[then])

        bed.holds.begin(instance.id, call, "ec2:DescribeInstances", bed.pace, end)


@after("ec2:CreateNatGateway")
def _nat_gateway_is_pending(bed: Bed, call: Call, result: dict[str, Any]) -> dict[str, Any]:
    gateway = bed.ec2(call).nat_gateways[result["NatGateway"]["NatGatewayId"]]
    _attribute(bed, call, gateway, "state", ("pending", "available"), "ec2:DescribeNatGateways")
    return {"NatGateway": {**result["NatGateway"], "State": gateway.state}}


@before("ec2:DeleteNatGateway")
def _nat_gateway_exists(bed: Bed, call: Call) -> None:
    id_ = call.params["NatGatewayId"]
    gateway = bed.ec2(call).nat_gateways.get(id_)
    if gateway is None or gateway.state == "deleted":
        raise Refusal("NatGatewayNotFound", f"The NAT gateway {id_} was not found")


@after("ec2:DeleteNatGateway")
def _nat_gateway_is_deleting(bed: Bed, call: Call, result: dict[str, Any]) -> None:
    ec2 = bed.ec2(call)
    gateway = ec2.nat_gateways[call.params["NatGatewayId"]]

    def gone() -> None:
        """Only then are its address and its interface free again, which moto forgets."""
        for address in ec2.addresses:
            if address.eni is gateway._eni:
                address.eni = address.association_id = None
        ec2.enis.pop(gateway._eni.id, None)

    _attribute(bed, call, gateway, "state", ("deleting", "deleted"), "ec2:DescribeNatGateways", gone)


@after("ec2:CreateVolume")
def _volume_is_creating(bed: Bed, call: Call, result: dict[str, Any]) -> dict[str, Any]:
    bed.holds.begin(result["VolumeId"], call, "ec2:DescribeVolumes", bed.pace, lambda: None)
    return {**result, "State": "creating"}


@after("ec2:DescribeVolumes")
def _volumes_are_creating(bed: Bed, call: Call, result: dict[str, Any]) -> dict[str, Any] | None:
    """moto reads the state off the attachment, so it is told here only."""
    volumes = result.get("Volumes", [])
    if not any(bed.holds.lasts(volume["VolumeId"]) for volume in volumes):
        return None
    told = [{**volume, "State": "creating"} if bed.holds.lasts(volume["VolumeId"]) else volume for volume in volumes]
    return {**result, "Volumes": told}


@before("ec2:AttachVolume")
def _volume_is_there(bed: Bed, call: Call) -> None:
    if bed.holds.lasts(call.params["VolumeId"]):
        raise Refusal("IncorrectState", f"{call.params['VolumeId']} is not 'available'.")


@after("ec2:CreateSnapshot")
def _snapshot_is_pending(bed: Bed, call: Call, result: dict[str, Any]) -> None:
    snapshot = bed.ec2(call).snapshots[result["SnapshotId"]]
    _attribute(bed, call, snapshot, "status", ("pending", "completed"), "ec2:DescribeSnapshots")


@after("ec2:RegisterImage", "ec2:CopyImage", "ec2:CreateImage")
def _image_is_pending(bed: Bed, call: Call, result: dict[str, Any]) -> None:
    image = bed.ec2(call).amis[result["ImageId"]]
    _attribute(bed, call, image, "state", ("pending", "available"), "ec2:DescribeImages")


@after("elbv2:CreateLoadBalancer")
def _balancer_is_provisioning(bed: Bed, call: Call, result: dict[str, Any]) -> None:
    balancer = bed.elbv2(call).load_balancers[result["LoadBalancers"][0]["LoadBalancerArn"]]
    balancer.activate = lambda: None  # moto would let the next look activate it
    _attribute(bed, call, balancer, "state", ("provisioning", "active"), "elbv2:DescribeLoadBalancers")


def _attribute(
    bed: Bed,
    call: Call,
    thing: Any,
    name: str,
    states: tuple[str, str],
    action: str,
    then: Callable[[], None] = lambda: None,
) -> None:
    now, later = states
    setattr(thing, name, now)

    def end() -> None:
        setattr(thing, name, later)
        then()

    bed.holds.begin(getattr(thing, "id", None) or thing.arn, call, action, bed.pace, end)
