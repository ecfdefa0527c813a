"""`aws.gateway` and `aws.egress_gateway`: the way to the internet, in both directions or only out over IPv6."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import field, frozen

from prov_aws.client import Aws
from prov_aws.errors import Taken
from prov_aws.jobs import asked
from prov_aws.kinds.tagged import Tagged
from prov_aws.made import Family, Thing
from provisioner.sdk import Job, Value, output, prop


@frozen(kw_only=True)
class GatewayProps:
    """The gateway of a network."""

    name: str = prop()
    network: str = prop(immutable=True)
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class GatewayOutputs:
    """Routes are given the `id`."""

    id: str = output()


class GatewayKind(Tagged):
    """Internet gateways; a network has one at most."""

    props: ClassVar[type[Any]] = GatewayProps
    outputs: ClassVar[type[Any]] = GatewayOutputs
    family = Family(
        "internet gateway",
        "internet-gateway",
        "describe_internet_gateways",
        "InternetGateways",
        "InternetGatewayId",
        "internet-gateway-id",
    )

    def make(self, aws: Aws, job: Job[Any, Any]) -> Thing:
        made = aws.call("ec2", "create_internet_gateway", TagSpecifications=self.born_with(job))
        thing: Thing = made["InternetGateway"]
        return thing

    def shape(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        self.name_and_tag(aws, job, thing)
        if _attached(thing) != asked(job).network:
            ids = {"InternetGatewayId": thing["InternetGatewayId"], "VpcId": asked(job).network}
            try:
                aws.call("ec2", "attach_internet_gateway", **ids)
            except Taken:
                if _attached(thing):
                    raise
                return "it is attached, and does not show so yet"  # by a call whose answer was lost
        return ""

    def unmake(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        id_, network = thing["InternetGatewayId"], _attached(thing)
        if network:
            aws.call("ec2", "detach_internet_gateway", InternetGatewayId=id_, VpcId=network)
        aws.call("ec2", "delete_internet_gateway", InternetGatewayId=id_)
        return ""

    def read_props(self, aws: Aws, job: Job[Any, Any], thing: Thing, more: Any) -> dict[str, Value]:
        return {"network": _attached(thing)}


class EgressGatewayKind(Tagged):
    """Gateways through which machines reach the internet over IPv6, and are not reached."""

    props: ClassVar[type[Any]] = GatewayProps
    outputs: ClassVar[type[Any]] = GatewayOutputs
    token = True
    family = Family(
        "egress gateway",
        "egress-only-internet-gateway",
        "describe_egress_only_internet_gateways",
        "EgressOnlyInternetGateways",
        "EgressOnlyInternetGatewayId",
        "egress-only-internet-gateway-id",
    )

    def make(self, aws: Aws, job: Job[Any, Any]) -> Thing:
        made = aws.call(
            "ec2",
            "create_egress_only_internet_gateway",
            VpcId=asked(job).network,
            ClientToken=job.key,
            TagSpecifications=self.born_with(job),
        )
        thing: Thing = made["EgressOnlyInternetGateway"]
        return thing

    def unmake(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        id_ = thing["EgressOnlyInternetGatewayId"]
        aws.call("ec2", "delete_egress_only_internet_gateway", EgressOnlyInternetGatewayId=id_)
        return ""

    def read_props(self, aws: Aws, job: Job[Any, Any], thing: Thing, more: Any) -> dict[str, Value]:
        return {"network": _attached(thing)}


def _attached(thing: Thing) -> str:
    """The network a gateway belongs to, empty for none."""
    attachments = thing.get("Attachments") or ()
    return next((str(one["VpcId"]) for one in attachments if one.get("State") != "detached"), "")
