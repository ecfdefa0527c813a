"""`aws.elastic_ip`: a public IPv4 address that stays the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import field, frozen

from prov_aws.client import Aws
from prov_aws.kinds.adopting import Adoptable
from prov_aws.made import Family, Thing
from provisioner.sdk import Job, Value, output, prop


@frozen(kw_only=True)
class ElasticIpProps:
    """An address has a name and tags."""

    name: str = prop()
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class ElasticIpOutputs:
    """`id` is that of the allocation; `host` is the IPv4 address."""

    id: str = output()
    host: str = output()


class ElasticIpKind(Adoptable):
    """Elastic IP addresses; they cost money from the moment they are there."""

    props: ClassVar[type[Any]] = ElasticIpProps
    outputs: ClassVar[type[Any]] = ElasticIpOutputs
    many = True
    family = Family(
        "elastic address", "elastic-ip", "describe_addresses", "Addresses", "AllocationId", "allocation-id"
    )

    def make(self, aws: Aws, job: Job[Any, Any]) -> Thing:
        made = aws.call("ec2", "allocate_address", Domain="vpc", TagSpecifications=self.born_with(job))
        tags = self.born_with(job)[0]["Tags"]
        return {"AllocationId": made["AllocationId"], "PublicIp": made["PublicIp"], "Tags": tags}

    def unmake(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        aws.call("ec2", "release_address", AllocationId=thing["AllocationId"])
        return ""

    def read_props(self, aws: Aws, job: Job[Any, Any], thing: Thing, more: Any) -> dict[str, Value]:
        return {}

    def tell(self, aws: Aws, thing: Thing, more: Any) -> dict[str, Value]:
        return {"id": thing["AllocationId"], "host": thing["PublicIp"]}
