"""`aws.placement_group`: how machines are spread over hardware."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import field, frozen

from prov_aws.client import Aws
from prov_aws.jobs import asked
from prov_aws.kinds.tagged import Tagged
from prov_aws.made import Family, Thing
from prov_aws.names import remote_name
from provisioner.sdk import Job, Value, output, prop

_LONGEST = 255


@frozen(kw_only=True)
class PlacementGroupProps:
    """`strategy` is `spread`, `cluster` or `partition`; `partitions` counts those of the last, from 1 to 7."""

    name: str = prop()
    strategy: str = prop(immutable=True, default="spread")
    partitions: int = prop(immutable=True, default=0)
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class PlacementGroupOutputs:
    """`group` is the name at AWS, which machines are given."""

    id: str = output()
    group: str = output()


class PlacementGroupKind(Tagged):
    """Placement groups."""

    props: ClassVar[type[Any]] = PlacementGroupProps
    outputs: ClassVar[type[Any]] = PlacementGroupOutputs
    family = Family(
        "placement group",
        "placement-group",
        "describe_placement_groups",
        "PlacementGroups",
        "GroupId",
        "group-id",
        gone=lambda thing: thing.get("State") == "deleted",
    )

    def make(self, aws: Aws, job: Job[Any, Any]) -> Thing:
        wanted: PlacementGroupProps = asked(job)
        made = aws.call(
            "ec2",
            "create_placement_group",
            GroupName=remote_name(wanted.name, job.key, _LONGEST),
            Strategy=wanted.strategy,
            TagSpecifications=self.born_with(job),
            **({"PartitionCount": wanted.partitions} if wanted.partitions else {}),
        )
        thing: Thing = made["PlacementGroup"]
        return thing

    def unmake(self, aws: Aws, job: Job[Any, Any], thing: Thing) -> str:
        aws.call("ec2", "delete_placement_group", GroupName=thing["GroupName"])
        return ""

    def read_props(self, aws: Aws, job: Job[Any, Any], thing: Thing, more: Any) -> dict[str, Value]:
        partitions = thing.get("PartitionCount", 0)
        return {"strategy": thing["Strategy"], "partitions": partitions}

    def tell(self, aws: Aws, thing: Thing, more: Any) -> dict[str, Value]:
        return {"id": thing["GroupId"], "group": thing["GroupName"]}
