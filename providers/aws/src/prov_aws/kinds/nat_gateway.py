"""`aws.nat_gateway`: the way out for machines without public addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import field, frozen

from prov_aws.client import Aws
from prov_aws.jobs import asked
from prov_aws.kinds.tagged import Tagged
from prov_aws.made import Family, Thing
from provisioner.sdk import Fatal, Job, Value, output, prop


@frozen(kw_only=True)
class NatGatewayProps:
    """A gateway in a public `subnet`, with the elastic `address` from which its machines are seen outside."""

    name: str = prop()
    subnet: str = prop(immutable=True)
    address: str = prop(immutable=True)
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class NatGatewayOutputs:
    """`host` is the public IPv4 address."""

    id: str = output()
    host: str = output()


class NatGatewayKind(Tagged):
    """NAT gateways; they take a minute or two to come, and as long to go."""

    props: ClassVar[type[Any]] = NatGatewayProps
    outputs: ClassVar[type[Any]] = NatGatewayOutputs
    token = True
    family = Family(
        "NAT gateway",
        "natgateway",
        "describe_nat_gateways",
        "NatGateways",
        "NatGatewayId",
        "nat-gateway-id",
        gone=lambda thing: thing.get("State") == "deleted",
    )

    def make(self, aws: Aws, job: Job[Any, Any]) -> Thing:
        made = aws.call(
            "ec2",
            "create_nat_gateway",
            SubnetId=asked(job).subnet,
            AllocationId=asked(job).address,
            ClientToken=job.key,
            TagSpecifications=self.born_with(job),
        )
        thing: Thing = made["NatGateway"]
        return thing

    def shape(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        match thing.get("State"):
            case "failed":
                raise Fatal(
                    "AWS could not make the NAT gateway",
                    detail=f"{thing.get('FailureCode')}: {thing.get('FailureMessage')}",
                    remedy="correct what the detail names; the next plan makes it anew",
                )
            case "pending":
                return "AWS is making it"
        self.name_and_tag(aws, job, thing)
        return ""

    def unmake(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        if thing.get("State") != "deleting":
            aws.call("ec2", "delete_nat_gateway", NatGatewayId=thing["NatGatewayId"])
            left = self.one(aws, job)
            if left is None:
                return ""
        return "AWS is removing it"

    def read_props(self, aws: Aws, job: Job[Any, Any], thing: Thing, more: Any) -> dict[str, Value]:
        return {"subnet": thing["SubnetId"], "address": _address(thing).get("AllocationId", "")}

    def tell(self, aws: Aws, thing: Thing, more: Any) -> dict[str, Value]:
        return {"id": thing["NatGatewayId"], "host": _address(thing).get("PublicIp", "")}


def _address(thing: Thing) -> Mapping[str, Any]:
    """The address it was made with; somebody may have added others, and AWS lists them in any order."""
    addresses: Any = thing.get("NatGatewayAddresses") or ({},)
    found: Mapping[str, Any] = next((one for one in addresses if one.get("IsPrimary")), addresses[0])
    return found
