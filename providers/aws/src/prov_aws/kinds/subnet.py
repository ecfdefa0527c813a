"""`aws.subnet`: a part of a network in one zone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import field, frozen

from prov_aws.client import Aws
from prov_aws.jobs import asked, said
from prov_aws.kinds.tagged import Tagged
from prov_aws.kinds.users import users_of
from prov_aws.made import Family, Thing
from prov_aws.names import short_zone, whole_zone
from provisioner.sdk import Fatal, Job, Value, output, prop


@frozen(kw_only=True)
class SubnetProps:
    """A subnet of `cidr`, and of `ipv6_cidr` where that is not empty. `public` gives machines public addresses.

    An IPv6 block is added in place, and stays: one that nobody asked for is left alone.
    """

    name: str = prop()
    network: str = prop(immutable=True)
    cidr: str = prop(immutable=True)
    ipv6_cidr: str = ""
    zone: str = prop(immutable=True)
    public: bool = False
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class SubnetOutputs:
    """`zone` is the whole name, such as `eu-west-1a`."""

    id: str = output()
    zone: str = output()


class SubnetKind(Tagged):
    """Subnets."""

    props: ClassVar[type[Any]] = SubnetProps
    outputs: ClassVar[type[Any]] = SubnetOutputs
    family = Family("subnet", "subnet", "describe_subnets", "Subnets", "SubnetId", "subnet-id")

    def make(self, aws: Aws, job: Job[Any, Any]) -> Thing:
        wanted: SubnetProps = asked(job)
        made = aws.call(
            "ec2",
            "create_subnet",
            VpcId=wanted.network,
            CidrBlock=wanted.cidr,
            AvailabilityZone=whole_zone(wanted.zone, aws.region),
            TagSpecifications=self.born_with(job),
            **({"Ipv6CidrBlock": wanted.ipv6_cidr} if wanted.ipv6_cidr else {}),
        )
        thing: Thing = made["Subnet"]
        return thing

    def shape(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        self.name_and_tag(aws, job, thing)
        wanted: SubnetProps = asked(job)
        ipv6 = bool(wanted.ipv6_cidr)
        if ipv6 and _ipv6(thing) != wanted.ipv6_cidr:
            self._add(aws, thing, wanted.ipv6_cidr)
        if bool(thing.get("MapPublicIpOnLaunch")) != wanted.public:
            self._set(aws, thing, MapPublicIpOnLaunch={"Value": wanted.public})
        if ipv6 and not thing.get("AssignIpv6AddressOnCreation"):
            self._set(aws, thing, AssignIpv6AddressOnCreation={"Value": True})
        return ""

    def unmake(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        aws.call("ec2", "delete_subnet", SubnetId=thing["SubnetId"])
        return ""

    def users(self, aws: Aws, thing: Thing) -> str:
        return users_of(aws, {"subnet-id": [thing["SubnetId"]]})

    def read_props(self, aws: Aws, job: Job[Any, Any], thing: Thing, more: Any) -> dict[str, Value]:
        return {
            "network": thing["VpcId"],
            "cidr": thing["CidrBlock"],
            "ipv6_cidr": _ipv6(thing) if (props := said(job)) is None or props.ipv6_cidr else "",
            "zone": short_zone(thing["AvailabilityZone"], aws.region),
            "public": bool(thing.get("MapPublicIpOnLaunch")),
        }

    def tell(self, aws: Aws, thing: Thing, more: Any) -> dict[str, Value]:
        return {"id": thing["SubnetId"], "zone": thing["AvailabilityZone"]}

    def _add(self, aws: Aws, thing: Thing, block: str) -> None:
        if _ipv6(thing):
            raise Fatal(
                "a subnet keeps its IPv6 block",
                detail=f"{thing['SubnetId']} has {_ipv6(thing)}, and {block} is wanted",
                remedy="take the block off in the AWS console once nothing uses it, and apply again",
                effect=False,
            )
        aws.call("ec2", "associate_subnet_cidr_block", SubnetId=thing["SubnetId"], Ipv6CidrBlock=block)

    def _set(self, aws: Aws, thing: Thing, **attribute: Any) -> None:
        aws.call("ec2", "modify_subnet_attribute", SubnetId=thing["SubnetId"], **attribute)


_OFF = ("disassociating", "disassociated")


def _ipv6(thing: Thing) -> str:
    blocks = thing.get("Ipv6CidrBlockAssociationSet") or ()
    there = (block for block in blocks if block.get("Ipv6CidrBlockState", {}).get("State") not in _OFF)
    return next((str(block["Ipv6CidrBlock"]) for block in there), "")
