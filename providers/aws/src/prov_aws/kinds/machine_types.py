"""`aws.machine_types`: whether EC2 has the types of machines in their zones, asked before anything is made.

Without it a mistyped type, or one that a zone does not have, would show when the network stands and is paid for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from attrs import frozen

from prov_aws.client import Aws
from prov_aws.errors import Denied
from prov_aws.jobs import asked
from prov_aws.made import as_filters
from prov_aws.marks import LINEAGE
from prov_aws.names import short_zone, whole_zone
from provisioner.sdk import Answer, Context, Done, Fatal, Job, did_you_mean, output, prop

_AT_ONCE = 200
"""Values that a filter of EC2 takes."""
_ANYWHERE = ""
"""The zone of whoever takes any."""


@frozen(kw_only=True)
class MachineTypesProps:
    """The zones in which each type is wanted, such as `{m7i.large: [a, b]}`; without any, in whichever."""

    types: Mapping[str, Sequence[str]] = prop()


@frozen
class MachineTypesOutputs:
    """`id` is the region."""

    id: str = output()


class MachineTypesGate:
    """Passes where EC2 offers every type in every zone; says where else there is one that is missing."""

    props: ClassVar[type[Any]] = MachineTypesProps
    outputs: ClassVar[type[Any]] = MachineTypesOutputs

    def check(self, client: Aws, job: Job[Any, Any], ctx: Context) -> Answer:
        """Two calls at most. Machines that stand may have a type that is not offered any more."""
        types: Mapping[str, Sequence[str]] = asked(job).types
        try:
            offered = _offered(client, sorted(types))
        except Denied as err:
            ctx.say(f"whether EC2 has the types of the machines was not looked at: {err.detail}")
            return Done(MachineTypesOutputs(client.region))
        lacking = {
            (type_, zone)
            for type_, zones in types.items()
            for zone in zones or [_ANYWHERE]
            if whole_zone(zone, client.region) not in offered[type_]
        }
        for type_, zone in sorted(lacking - _standing(client, job, lacking)):
            raise _not_offered(client, type_, zone, offered[type_])
        return Done(MachineTypesOutputs(client.region))


def _offered(aws: Aws, types: Sequence[str]) -> Mapping[str, set[str]]:
    """The whole names of the zones that have each type, and `_ANYWHERE` where one does."""
    found: dict[str, set[str]] = defaultdict(set)
    for start in range(0, len(types), _AT_ONCE):
        filters = as_filters({"instance-type": types[start : start + _AT_ONCE]})
        listed = aws.pages(
            "ec2",
            "describe_instance_type_offerings",
            "InstanceTypeOfferings",
            LocationType="availability-zone",
            Filters=filters,
        )
        for one in listed:
            found[one["InstanceType"]] |= {one["Location"], _ANYWHERE}
    return found


def _standing(aws: Aws, job: Job[Any, Any], lacking: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of types and zones that machines of ours have."""
    if not lacking:
        return set()
    filters = {f"tag:{LINEAGE}": [job.lineage], "instance-type": sorted({type_ for type_, _ in lacking})}
    listed = aws.pages("ec2", "describe_instances", "Reservations", Filters=as_filters(filters))
    there = [one for reservation in listed for one in reservation["Instances"]]
    standing: dict[str, set[str]] = defaultdict(set)
    for one in there:
        if one["State"]["Name"] not in ("shutting-down", "terminated"):
            standing[one["InstanceType"]] |= {one["Placement"]["AvailabilityZone"], _ANYWHERE}
    return {(type_, zone) for type_, zone in lacking if whole_zone(zone, aws.region) in standing[type_]}


def _not_offered(aws: Aws, type_: str, zone: str, offered: Collection[str]) -> Fatal:
    if not offered:
        return Fatal(
            "EC2 has no machines of this type here",
            detail=f"{type_} in {aws.region}",
            remedy=f"choose another `size` or region; {did_you_mean(type_, aws.known('ec2', 'InstanceType'))}",
            effect=False,
        )
    others = ", ".join(sorted(short_zone(other, aws.region) for other in offered if other != _ANYWHERE))
    return Fatal(
        "EC2 has no machines of this type in this zone",
        detail=f"{type_} in {whole_zone(zone, aws.region)}",
        remedy=f"there are some in {others}: choose other `zones`, or another `size`",
        effect=False,
    )
