"""What AWS refuses and moto takes: unknown images and types, too much user-data, names that are taken."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from beds.aws.rules import Refusal, before
from moto.ec2.models.instance_types import INSTANCE_TYPES

if TYPE_CHECKING:
    from beds.aws.bed import Bed
    from beds.aws.calls import Call

USER_DATA_LIMIT: Final = 16384
"""Bytes before they are encoded, https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html."""


@before("ec2:RunInstances")
def _image_and_type_exist_and_fit(bed: Bed, call: Call) -> None:
    if "LaunchTemplate" in call.params:
        return
    image_id, type_ = call.params.get("ImageId"), call.params.get("InstanceType", "m1.small")
    image = bed.ec2(call).amis.get(image_id)
    if image is None and not re.fullmatch("ami-[0-9a-f]{8,17}", str(image_id)):
        raise Refusal("InvalidAMIID.Malformed", f'Invalid id: "{image_id}" (expecting "ami-...")')
    if image is None or image.state != "available":
        raise Refusal("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
    known = INSTANCE_TYPES.get(type_)
    if known is None:
        raise Refusal("InvalidParameterValue", f"Invalid value '{type_}' for InstanceType.")
    architectures = known["ProcessorInfo"]["SupportedArchitectures"]
    if image.architecture and image.architecture not in architectures:
        raise Refusal(
            "InvalidParameterValue",
            f"The architecture '{','.join(architectures)}' of the specified instance type does not match the "
            f"architecture '{image.architecture}' of the specified AMI.",
        )


@before("ec2:RunInstances")
def _user_data_fits(bed: Bed, call: Call) -> None:
    try:
        raw = base64.b64decode(call.params.get("UserData", ""), validate=True)
    except binascii.Error:
        raise Refusal("InvalidParameterValue", "Invalid BASE64 encoding of user data") from None
    if len(raw) > USER_DATA_LIMIT:
        raise Refusal("InvalidParameterValue", f"User data is limited to {USER_DATA_LIMIT} bytes")


@before("ec2:RunInstances")
def _profile_exists(bed: Bed, call: Call) -> None:
    profile = call.params.get("IamInstanceProfile", {})
    known = bed.iam(call).instance_profiles.values()
    for key, attribute in (("Name", "name"), ("Arn", "arn")):
        if key in profile and profile[key] not in {getattr(one, attribute) for one in known}:
            raise Refusal(
                "InvalidParameterValue",
                f"Value ({profile[key]}) for parameter iamInstanceProfile.{key.lower()} is invalid. "
                f"Invalid IAM Instance Profile {key.lower()}",
            )


@before("ec2:RunInstances")
def _placement_group_exists(bed: Bed, call: Call) -> None:
    name = call.params.get("Placement", {}).get("GroupName")
    if name and (call.account, call.region, name) not in bed.placement_groups:
        raise Refusal("InvalidPlacementGroup.Unknown", f"The Placement Group '{name}' is unknown.")


@before("ec2:RunInstances")
def _disks_hold_their_snapshots(bed: Bed, call: Call) -> None:
    image = bed.ec2(call).amis.get(call.params.get("ImageId"))
    smallest = bed.image_sizes.get(image.id, 0) if image is not None else 0
    for mapping in call.params.get("BlockDeviceMappings", []):
        size = mapping.get("Ebs", {}).get("VolumeSize")
        if image is not None and mapping["DeviceName"] == image.root_device_name and size and size < smallest:
            raise Refusal(
                "InvalidBlockDeviceMapping",
                f"Volume of size {size}GB is smaller than snapshot, expect size >= {smallest}GB",
            )


@before("ec2:RunInstances", "ec2:CreateNetworkInterface")
def _address_is_free(bed: Bed, call: Call) -> None:
    wanted = {*_addresses(call.params)}
    if not wanted:
        return
    for interface in bed.ec2(call).enis.values():
        if (interface.subnet.id, interface.private_ip_address) in wanted:
            raise Refusal("InvalidIPAddress.InUse", f"Address {interface.private_ip_address} is in use.")


def _addresses(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for one in (params, *params.get("NetworkInterfaces", [])):
        if one.get("PrivateIpAddress") and one.get("SubnetId"):
            yield one["SubnetId"], one["PrivateIpAddress"]


@before("ec2:RegisterImage", "ec2:CopyImage", "ec2:CreateImage")
def _image_name_is_free(bed: Bed, call: Call) -> None:
    name = call.params.get("Name")
    for image in bed.ec2(call).amis.values():
        if image.name == name and image.owner_id == call.account:
            raise Refusal("InvalidAMIName.Duplicate", f"AMI name {name} is already in use by AMI {image.id}")


@before("elbv2:CreateLoadBalancer")
def _balancer_name_is_free_or_all_is_equal(bed: Bed, call: Call) -> None:
    """The very same request again is answered by `stubs`; any other one for the name is refused."""
    name = call.params["Name"]
    for balancer in bed.elbv2(call).load_balancers.values():
        if balancer.name == name and bed.balancer_requests.get(balancer.arn) != call.params:
            raise Refusal(
                "DuplicateLoadBalancerName",
                f"A load balancer with the same name '{name}' exists, but with different settings",
            )


@before("elbv2:CreateListener")
def _port_is_free(bed: Bed, call: Call) -> None:
    balancer = bed.elbv2(call).load_balancers.get(call.params["LoadBalancerArn"])
    ports = {listener.port for listener in balancer.listeners.values()} if balancer else set()
    if call.params.get("Port") in {int(port) for port in ports if port}:
        raise Refusal("DuplicateListener", "A listener already exists on this port for this load balancer")


@before("elbv2:RegisterTargets")
def _targets_exist_and_run(bed: Bed, call: Call) -> None:
    for target in call.params["Targets"]:
        if not target["Id"].startswith("i-"):
            continue
        found = [one for one in bed.ec2(call).all_instances() if one.id == target["Id"]]
        if not found or found[0].state != "running":
            raise Refusal(
                "InvalidTarget",
                f"The following targets are not in a running state and cannot be registered: '{target['Id']}'",
            )


@before("elbv2:DeregisterTargets")
def _targets_may_be_gone(bed: Bed, call: Call) -> None:
    """Deregistering what is not registered is quiet, where moto refuses."""
    group = bed.elbv2(call).target_groups.get(call.params["TargetGroupArn"])
    for target in call.params["Targets"]:
        if group is not None and target["Id"] not in group.targets:
            group.targets[target["Id"]] = {"Id": target["Id"], "Port": group.port}


@before("route53:CreateHostedZone")
def _caller_reference_is_new(bed: Bed, call: Call) -> None:
    reference = call.params.get("CallerReference")
    if reference and reference in bed.caller_references:
        raise Refusal("HostedZoneAlreadyExists", "The hosted zone you are trying to create already exists.", 409)
    bed.caller_references.add(str(reference))
