"""`aws.network`: a VPC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import field, frozen

from prov_aws.client import Aws
from prov_aws.jobs import asked, said
from prov_aws.kinds.tagged import Tagged
from prov_aws.kinds.users import users_of
from prov_aws.made import Family, Thing
from provisioner.sdk import Job, Value, output, prop


@frozen(kw_only=True)
class NetworkProps:
    """A network of `cidr`; with `ipv6` AWS gives it a /56 too. `dns_names` are those of instances and balancers.

    An IPv6 block is added in place, and stays: one that nobody asked for is left alone.
    """

    name: str = prop()
    cidr: str = prop(immutable=True)
    ipv6: bool = False
    dns_names: bool = True
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class NetworkOutputs:
    """`ipv6_cidr` is empty where there is none."""

    id: str = output()
    cidr: str = output()
    ipv6_cidr: str = output()


class NetworkKind(Tagged):
    """Networks (VPC)."""

    props: ClassVar[type[Any]] = NetworkProps
    outputs: ClassVar[type[Any]] = NetworkOutputs
    family = Family("network", "vpc", "describe_vpcs", "Vpcs", "VpcId", "vpc-id")

    def make(self, aws: Aws, job: Job[Any, Any]) -> Thing:
        wanted: NetworkProps = asked(job)
        made = aws.call(
            "ec2",
            "create_vpc",
            CidrBlock=wanted.cidr,
            AmazonProvidedIpv6CidrBlock=wanted.ipv6,
            TagSpecifications=self.born_with(job),
        )
        thing: Thing = made["Vpc"]
        return thing

    def shape(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        self.name_and_tag(aws, job, thing)
        if _dns_names(aws, thing["VpcId"]) != asked(job).dns_names:
            wanted = {"Value": asked(job).dns_names}
            aws.call("ec2", "modify_vpc_attribute", VpcId=thing["VpcId"], EnableDnsHostnames=wanted)
        if not asked(job).ipv6 or _ipv6(thing):
            return ""
        if not _blocks(thing):
            aws.call("ec2", "associate_vpc_cidr_block", VpcId=thing["VpcId"], AmazonProvidedIpv6CidrBlock=True)
        return "waits for an IPv6 block"

    def unmake(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        aws.call("ec2", "delete_vpc", VpcId=thing["VpcId"])
        return ""

    def users(self, aws: Aws, thing: Thing) -> str:
        return users_of(aws, {"vpc-id": [thing["VpcId"]]})

    def closer(self, aws: Aws, things: Sequence[Thing]) -> Mapping[str, Any]:
        return {thing["VpcId"]: _dns_names(aws, thing["VpcId"]) for thing in things}

    def read_props(self, aws: Aws, job: Job[Any, Any], thing: Thing, more: Any) -> dict[str, Value]:
        props = said(job)
        wanted = props is None or props.ipv6
        return {"cidr": thing["CidrBlock"], "ipv6": wanted and bool(_ipv6(thing)), "dns_names": bool(more)}

    def tell(self, aws: Aws, thing: Thing, more: Any) -> dict[str, Value]:
        return {"id": thing["VpcId"], "cidr": thing["CidrBlock"], "ipv6_cidr": _ipv6(thing)}


def _ipv6(thing: Thing) -> str:
    """The block that can be used, empty for none."""
    return next((block for block, state in _blocks(thing).items() if state == "associated"), "")


def _blocks(thing: Thing) -> Mapping[str, str]:
    """The IPv6 blocks that there are or will be, with their states."""
    blocks = thing.get("Ipv6CidrBlockAssociationSet") or ()
    states = {str(one["Ipv6CidrBlock"]): str(one.get("Ipv6CidrBlockState", {}).get("State")) for one in blocks}
    return {block: state for block, state in states.items() if state in ("associating", "associated")}


def _dns_names(aws: Aws, id_: str) -> bool:
    found = aws.call("ec2", "describe_vpc_attribute", VpcId=id_, Attribute="enableDnsHostnames")
    return bool(found["EnableDnsHostnames"]["Value"])
