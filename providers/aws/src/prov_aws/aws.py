"""The provider `aws`.

It stands in a module of another name than its own, so that `prov_aws.provider` is never the module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from prov_aws.client import Aws
from prov_aws.design import design, endpoint
from prov_aws.functions import subnet6
from prov_aws.kinds.balancer import BalancerKind
from prov_aws.kinds.bucket import BucketKind
from prov_aws.kinds.dns_record import DnsRecordKind
from prov_aws.kinds.elastic_ip import ElasticIpKind
from prov_aws.kinds.existing import ExistingNetworkKind, ExistingSubnetKind
from prov_aws.kinds.gateway import EgressGatewayKind, GatewayKind
from prov_aws.kinds.iam_role import IamRoleKind
from prov_aws.kinds.image import ImageKind
from prov_aws.kinds.instance_profile import InstanceProfileKind
from prov_aws.kinds.listener import ListenerKind
from prov_aws.kinds.machine import MachineKind
from prov_aws.kinds.machine_types import MachineTypesGate
from prov_aws.kinds.nat_gateway import NatGatewayKind
from prov_aws.kinds.network import NetworkKind
from prov_aws.kinds.placement_group import PlacementGroupKind
from prov_aws.kinds.published_image import PublishedImageKind
from prov_aws.kinds.route_table import RouteTableKind
from prov_aws.kinds.security_group import SecurityGroupKind
from prov_aws.kinds.security_group_rule import SecurityGroupRuleKind
from prov_aws.kinds.subnet import SubnetKind
from prov_aws.kinds.target_group import TargetGroupKind
from prov_aws.kinds.volume import VolumeKind
from prov_aws.owned import Owners
from prov_aws.settings import AwsSettings, NodeOptions
from provisioner.sdk import (
    PROTOCOL,
    AnyKind,
    BootRefs,
    Context,
    Design,
    Endpoint,
    Function,
    Job,
    Limits,
    Owned,
    Slice,
    Value,
)

_USUAL = AwsSettings()


class AwsProvider:
    """Talos clusters on Amazon EC2."""

    name: ClassVar[str] = "aws"
    protocol: ClassVar[int] = PROTOCOL
    settings: ClassVar[type[Any]] = AwsSettings
    node_options: ClassVar[type[Any]] = NodeOptions
    kinds: ClassVar[Mapping[str, AnyKind]] = {
        "aws.network": NetworkKind(),
        "aws.subnet": SubnetKind(),
        "aws.gateway": GatewayKind(),
        "aws.egress_gateway": EgressGatewayKind(),
        "aws.elastic_ip": ElasticIpKind(),
        "aws.nat_gateway": NatGatewayKind(),
        "aws.route_table": RouteTableKind(),
        "aws.security_group": SecurityGroupKind(),
        "aws.security_group_rule": SecurityGroupRuleKind(),
        "aws.balancer": BalancerKind(),
        "aws.target_group": TargetGroupKind(),
        "aws.listener": ListenerKind(),
        "aws.machine": MachineKind(),
        "aws.volume": VolumeKind(),
        "aws.placement_group": PlacementGroupKind(),
        "aws.image": ImageKind(),
        "aws.bucket": BucketKind(),
        "aws.dns_record": DnsRecordKind(),
        "aws.iam_role": IamRoleKind(),
        "aws.instance_profile": InstanceProfileKind(),
        "aws.existing_network": ExistingNetworkKind(),
        "aws.existing_subnet": ExistingSubnetKind(),
        "aws.published_image": PublishedImageKind(),
        "aws.machine_types": MachineTypesGate(),
    }
    functions: ClassVar[Mapping[str, Function]] = {"aws.subnet6": subnet6}

    def connect(self, settings: AwsSettings) -> Aws:
        """A connection; credentials are looked for with the first call."""
        return Aws(settings)

    def endpoint(self, part: Slice) -> Endpoint | None:
        return endpoint(part)

    def design(self, part: Slice, boot: BootRefs) -> Design:
        return design(part, boot)

    def list_owned(self, client: Aws, ctx: Context) -> Sequence[Owned]:
        """Everything in the account and region that bears a mark of ours; says what may not be looked for."""
        return Owners(client, self.kinds, ctx.say).all()

    def limits(self, settings: Mapping[str, Value]) -> Limits:
        """As the provider block says, else as EC2's own buckets suggest."""
        most, rate = settings.get("in_flight", _USUAL.in_flight), settings.get("per_second", _USUAL.per_second)
        return Limits(
            most if isinstance(most, int) else _USUAL.in_flight,
            float(rate) if isinstance(rate, int | float) else _USUAL.per_second,
        )

    def called_at(self, job: Job[Any, Any]) -> str:
        """All calls of an instance go to one region of one account."""
        return ""


provider = AwsProvider()
