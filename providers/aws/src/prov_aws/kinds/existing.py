"""`aws.existing_network` and `aws.existing_subnet`: what is there, and stays what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import field, frozen

from prov_aws.client import Aws
from prov_aws.jobs import asked
from prov_aws.made import Thing, as_filters
from prov_aws.names import whole_zone
from provisioner.sdk import Absent, Context, Fatal, Job, Reading, Seen, output


@frozen(kw_only=True)
class ExistingNetworkProps:
    """A network by its id, or by all of `tags`."""

    network: str = ""
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class ExistingNetworkOutputs:
    """`ipv6_cidr` is empty where there is none."""

    id: str = output()
    cidr: str = output()
    ipv6_cidr: str = output()


class ExistingNetworkKind:
    """Finds the one network that is meant."""

    props: ClassVar[type[Any]] = ExistingNetworkProps
    outputs: ClassVar[type[Any]] = ExistingNetworkOutputs

    def read(self, client: Aws, jobs: Sequence[Job[Any, Any]], ctx: Context) -> Mapping[str, Reading]:
        return {job.key: self._found(client, asked(job)) for job in jobs}

    def _found(self, aws: Aws, wanted: ExistingNetworkProps) -> Reading:
        filters = {f"tag:{key}": [value] for key, value in wanted.tags.items()}
        if wanted.network:
            filters["vpc-id"] = [wanted.network]
        thing = only(aws.pages("ec2", "describe_vpcs", "Vpcs", Filters=as_filters(filters)), "network", "VpcId")
        if thing is None:
            return Absent()
        blocks = thing.get("Ipv6CidrBlockAssociationSet") or ()
        sixes = [block["Ipv6CidrBlock"] for block in blocks]
        outputs = {"id": thing["VpcId"], "cidr": thing["CidrBlock"], "ipv6_cidr": sixes[0] if sixes else ""}
        return Seen({"network": wanted.network, "tags": dict(wanted.tags)}, outputs)


@frozen(kw_only=True)
class ExistingSubnetProps:
    """The one subnet of a network in a zone that has all of `tags`, or that is public, or is not."""

    network: str
    zone: str
    tags: Mapping[str, str] = field(factory=dict)
    public: bool | None = None


@frozen
class ExistingSubnetOutputs:
    """`zone` is the whole name, such as `eu-west-1a`."""

    id: str = output()
    cidr: str = output()
    zone: str = output()


class ExistingSubnetKind:
    """Finds the one subnet that is meant."""

    props: ClassVar[type[Any]] = ExistingSubnetProps
    outputs: ClassVar[type[Any]] = ExistingSubnetOutputs

    def read(self, client: Aws, jobs: Sequence[Job[Any, Any]], ctx: Context) -> Mapping[str, Reading]:
        return {job.key: self._found(client, asked(job)) for job in jobs}

    def _found(self, aws: Aws, wanted: ExistingSubnetProps) -> Reading:
        filters = {f"tag:{key}": [value] for key, value in wanted.tags.items()}
        filters |= {"vpc-id": [wanted.network], "availability-zone": [whole_zone(wanted.zone, aws.region)]}
        listed = aws.pages("ec2", "describe_subnets", "Subnets", Filters=as_filters(filters))
        fit = [one for one in listed if wanted.public in (None, bool(one.get("MapPublicIpOnLaunch")))]
        thing = only(fit, "subnet", "SubnetId")
        if thing is None:
            return Absent()
        outputs = {"id": thing["SubnetId"], "cidr": thing["CidrBlock"], "zone": thing["AvailabilityZone"]}
        return Seen({"network": wanted.network, "zone": wanted.zone}, outputs)


def only(things: Any, what: str, id_: str) -> Thing | None:
    """The only one there is, None for none; raises Fatal for several."""
    listed: list[Thing] = list(things)
    if len(listed) > 1:
        ids = ", ".join(sorted(thing[id_] for thing in listed)[:5])
        raise Fatal(
            "several things fit what is looked for",
            detail=f"{what}: {ids}",
            remedy="name the id of the one that is meant, or more tags",
            effect=False,
        )
    return listed[0] if listed else None
