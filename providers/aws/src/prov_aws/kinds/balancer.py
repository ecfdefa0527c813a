"""`aws.balancer`: a network balancer, one name in front of several machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from attrs import field, frozen

from prov_aws.client import Aws
from prov_aws.jobs import asked
from prov_aws.kinds.balancing import SERVICE, Balancing, named_by_key
from prov_aws.kinds.tagged import in_order
from prov_aws.made import Family, Thing
from prov_aws.names import remote_name
from provisioner.sdk import Fatal, FieldChange, Job, Value, output, prop

LONGEST = 32
_CROSS_ZONE = "load_balancing.cross_zone.enabled"


@frozen(kw_only=True)
class BalancerProps:
    """A network balancer with a foot in each of `subnets`.

    public           reachable from the internet, else from the network only
    addresses        elastic addresses in the order of `subnets`, where it shall have fixed ones
    security_groups  what may reach it
    cross_zone       whether each foot leads to targets in all zones
    ipv6             whether it has addresses of both families
    """

    name: str = prop()
    public: bool = prop(immutable=True, default=True)
    subnets: tuple[str, ...] = prop(same_as=in_order)
    addresses: tuple[str, ...] = prop(birth=True, readable=False, default=())
    security_groups: tuple[str, ...] = prop(default=(), same_as=in_order)
    cross_zone: bool = False
    ipv6: bool = False
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class BalancerOutputs:
    """`host` is the name by which it is reached; `zone` is the hosted zone of that name, for aliases."""

    id: str = output()
    host: str = output()
    zone: str = output()


class BalancerKind(Balancing):
    """Network balancers; one is usable a minute or two after it was asked for."""

    props: ClassVar[type[Any]] = BalancerProps
    outputs: ClassVar[type[Any]] = BalancerOutputs
    grave = frozenset({"subnets", "security_groups"})
    family = Family("balancer", "", "", "", "LoadBalancerArn", "")

    def candidates(self, aws: Aws, jobs: Sequence[Job[Any, Any]]) -> Iterable[Thing]:
        return named_by_key(aws, jobs, "describe_load_balancers", "LoadBalancer")

    def make(self, aws: Aws, job: Job[Any, Any]) -> Thing:
        wanted: BalancerProps = asked(job)
        made = aws.call(
            SERVICE,
            "create_load_balancer",
            Name=remote_name(wanted.name, job.key, LONGEST),
            Type="network",
            Scheme="internet-facing" if wanted.public else "internal",
            IpAddressType="dualstack" if wanted.ipv6 else "ipv4",
            Tags=self.born_with(job),
            **_feet(wanted),
            **({"SecurityGroups": list(wanted.security_groups)} if wanted.security_groups else {}),
        )
        return {**made["LoadBalancers"][0], "Tags": self.born_with(job)}

    def shape(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        self.name_and_tag(aws, job, thing)
        wanted, arn = asked(job), thing["LoadBalancerArn"]
        if set(_subnets(thing)) != set(wanted.subnets):
            aws.call(SERVICE, "set_subnets", LoadBalancerArn=arn, **_feet(wanted))
        if set(thing.get("SecurityGroups") or ()) != set(wanted.security_groups):
            groups = list(wanted.security_groups)
            aws.call(SERVICE, "set_security_groups", LoadBalancerArn=arn, SecurityGroups=groups)
        if (thing.get("IpAddressType") == "dualstack") != wanted.ipv6:
            family = "dualstack" if wanted.ipv6 else "ipv4"
            aws.call(SERVICE, "set_ip_address_type", LoadBalancerArn=arn, IpAddressType=family)
        if _cross_zone(aws, arn) != wanted.cross_zone:
            value = {"Key": _CROSS_ZONE, "Value": str(wanted.cross_zone).lower()}
            aws.call(SERVICE, "modify_load_balancer_attributes", LoadBalancerArn=arn, Attributes=[value])
        return _state(thing)

    def unmake(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        aws.call(SERVICE, "delete_load_balancer", LoadBalancerArn=thing["LoadBalancerArn"])
        return "" if self.one(aws, job) is None else "AWS is removing it"

    def closer(self, aws: Aws, things: Sequence[Thing]) -> Mapping[str, Any]:
        return {thing["LoadBalancerArn"]: _cross_zone(aws, thing["LoadBalancerArn"]) for thing in things}

    def read_props(self, aws: Aws, job: Job[Any, Any], thing: Thing, more: Any) -> dict[str, Value]:
        return {
            "public": thing.get("Scheme") == "internet-facing",
            "subnets": tuple(sorted(_subnets(thing))),
            "security_groups": tuple(sorted(thing.get("SecurityGroups") or ())),
            "cross_zone": bool(more),
            "ipv6": thing.get("IpAddressType") == "dualstack",
        }

    def tell(self, aws: Aws, thing: Thing, more: Any) -> dict[str, Value]:
        return {
            "id": thing["LoadBalancerArn"],
            "host": thing["DNSName"],
            "zone": thing.get("CanonicalHostedZoneId", ""),
        }

    def consequence(self, changes: Sequence[FieldChange]) -> str:
        paths = {change.path[0] for change in changes}
        return "changes who reaches the balancer" if paths & {"subnets", "security_groups", "ipv6"} else ""


def _feet(wanted: BalancerProps) -> dict[str, Any]:
    if not wanted.addresses:
        return {"Subnets": list(wanted.subnets)}
    pairs = zip(wanted.subnets, wanted.addresses, strict=False)
    return {"SubnetMappings": [{"SubnetId": subnet, "AllocationId": address} for subnet, address in pairs]}


def _subnets(thing: Thing) -> list[str]:
    return [zone["SubnetId"] for zone in thing.get("AvailabilityZones") or () if zone.get("SubnetId")]


def _cross_zone(aws: Aws, arn: str) -> bool:
    found = aws.call(SERVICE, "describe_load_balancer_attributes", LoadBalancerArn=arn)["Attributes"]
    return any(one["Key"] == _CROSS_ZONE and one["Value"] == "true" for one in found)


def _state(thing: Thing) -> str:
    state = thing.get("State") or {}
    match state.get("Code"):
        case "failed":
            raise Fatal(
                "AWS could not make the balancer",
                detail=str(state.get("Reason")),
                remedy="correct what the detail names; the next plan makes it anew",
            )
        case "provisioning":
            return "AWS is making it"
    return ""
