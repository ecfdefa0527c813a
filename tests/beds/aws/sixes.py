"""IPv6 addresses of instances, out of their subnet's block, which moto gives in one form of asking only."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Network
from typing import TYPE_CHECKING, Any

from beds.aws.rules import Refusal, after, before

if TYPE_CHECKING:
    from beds.aws.bed import Bed
    from beds.aws.calls import Call

_FIRST = 0x1000
"""Where giving begins in a block; lower ones AWS keeps for routers and the like."""


@before("ec2:RunInstances")
def _subnet_has_a_block(bed: Bed, call: Call) -> None:
    for face in call.params.get("NetworkInterfaces", ()):
        subnet = _subnet(bed, call, face.get("SubnetId", ""))
        if face.get("Ipv6AddressCount") and subnet is not None and _block(subnet) is None:
            raise Refusal(
                "InvalidParameterValue", f"The subnet '{subnet.id}' has no IPv6 CIDR block associated with it"
            )


@after("ec2:RunInstances")
def _interfaces_get_theirs(bed: Bed, call: Call, result: dict[str, Any]) -> dict[str, Any]:
    """As many as were asked for, or one where the subnet gives one to whoever asks for nothing."""
    asked = {int(face.get("DeviceIndex", 0)): face for face in call.params.get("NetworkInterfaces", ())}
    for instance in bed.instances(call, [made["InstanceId"] for made in result["Instances"]]):
        for index, face in instance.nics.items():
            _give(bed, call, face, asked.get(int(index), {}))
    return {**result, "Instances": [_told(bed, call, made) for made in result["Instances"]]}


def _give(bed: Bed, call: Call, face: Any, asked: Mapping[str, Any]) -> None:
    block = _block(face.subnet)
    if block is None or face.ipv6_addresses:
        return
    default = 1 if str(face.subnet.assign_ipv6_address_on_creation).lower() == "true" else 0
    taken = {one for other in bed.ec2(call).enis.values() for one in other.ipv6_addresses}
    free = (str(block[_FIRST + number]) for number in range(len(taken) + 64))
    fresh = (one for one in free if one not in taken)
    face.ipv6_addresses = [next(fresh) for _ in range(int(asked.get("Ipv6AddressCount", default)))]


def _told(bed: Bed, call: Call, made: dict[str, Any]) -> dict[str, Any]:
    (instance,) = bed.instances(call, [made["InstanceId"]])
    sixes = {face.id: face.ipv6_addresses for face in instance.nics.values()}
    faces = [
        {**face, "Ipv6Addresses": [{"Ipv6Address": one, "IsPrimaryIpv6": False} for one in addresses]}
        if (addresses := sixes.get(face["NetworkInterfaceId"]))
        else face
        for face in made.get("NetworkInterfaces", ())
    ]
    return {**made, "NetworkInterfaces": faces}


def _subnet(bed: Bed, call: Call, id_: str) -> Any:
    zones = bed.ec2(call).subnets.values()
    return next((zone[id_] for zone in zones if id_ in zone), None)


def _block(subnet: Any) -> IPv6Network | None:
    """The first block that a subnet has."""
    told = (one.get("ipv6CidrBlock") for one in subnet.ipv6_cidr_block_associations.values())
    return next((IPv6Network(block) for block in told if block), None)
