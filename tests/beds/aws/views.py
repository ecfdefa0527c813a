"""Reads that are not up to date: objects that do not show yet, and answers of a moment ago."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from attrs import define, field
from beds.aws.calls import Answer, Call
from beds.aws.rules import Refusal

_ID: Final = re.compile(
    r"(?:i|vpc|subnet|sg|sgr|igw|eigw|rtb|nat|vol|snap|ami|eni|eipalloc|lt|pg|import-snap)-[0-9a-f]{8,17}"
)
_NOT_FOUND: Final = {
    "i": "InvalidInstanceID.NotFound",
    "vpc": "InvalidVpcID.NotFound",
    "subnet": "InvalidSubnetID.NotFound",
    "sg": "InvalidGroup.NotFound",
    "sgr": "InvalidSecurityGroupRuleId.NotFound",
    "igw": "InvalidInternetGatewayID.NotFound",
    "eigw": "InvalidGatewayID.NotFound",
    "rtb": "InvalidRouteTableID.NotFound",
    "nat": "NatGatewayNotFound",
    "vol": "InvalidVolume.NotFound",
    "snap": "InvalidSnapshot.NotFound",
    "ami": "InvalidAMIID.NotFound",
    "eni": "InvalidNetworkInterfaceID.NotFound",
    "eipalloc": "InvalidAllocationID.NotFound",
    "lt": "InvalidLaunchTemplateId.NotFound",
    "pg": "InvalidPlacementGroup.Unknown",
    "import-snap": "InvalidConversionTaskId.Malformed",
}


def ids_in(value: Any) -> Iterator[str]:
    """All ids of EC2 objects in a tree."""
    if isinstance(value, dict):
        for item in value.values():
            yield from ids_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from ids_in(item)
    elif isinstance(value, str) and _ID.fullmatch(value):
        yield value


def without(value: Any, hidden: frozenset[str]) -> Any:
    """The tree without the list items that are, or are named by, something hidden; what only refers to it stays."""
    if isinstance(value, dict):
        return {key: without(item, hidden) for key, item in value.items()}
    if isinstance(value, list):
        return [without(item, hidden) for item in value if not _is(item, hidden)]
    return value


def _is(item: Any, hidden: frozenset[str]) -> bool:
    if isinstance(item, dict):
        own = [value for key, value in item.items() if isinstance(value, str) and key.endswith("Id")]
        return bool(own) and _own_id(item) in hidden
    return item in hidden


def _own_id(item: dict[str, Any]) -> str:
    """The id that an item is known by: the one whose key is the name of what it is."""
    for key in _OWN:
        if key in item:
            return str(item[key])
    return ""


_OWN: Final = (
    "InstanceId",
    "SecurityGroupRuleId",
    "NatGatewayId",
    "SnapshotId",
    "NetworkInterfaceId",
    "AllocationId",
    "RouteTableId",
    "InternetGatewayId",
    "SubnetId",
    "GroupId",
    "VolumeId",
    "ImageId",
    "VpcId",
    "ImportTaskId",
    "ResourceId",
)
"""From what is named by few to what is named by many."""


def refuse_hidden(call: Call, hidden: frozenset[str]) -> None:
    """A call that names something hidden is told that it does not exist; a filter just finds nothing."""
    for id_ in ids_in({name: value for name, value in call.params.items() if name != "Filters"}):
        if id_ in hidden:
            raise Refusal(_NOT_FOUND[id_.rpartition("-")[0]], f"The ID '{id_}' does not exist")


@define
class Past:
    """Answers of reads as they were, by what was asked."""

    _kept: dict[tuple[str, ...], list[tuple[float, Answer]]] = field(factory=dict)

    def keep(self, call: Call, answer: Answer, now: float) -> None:
        """The answer of a read at this time; the one before it is kept too."""
        kept = self._kept.setdefault(_asked(call), [])
        kept[:] = [*kept[-1:], (now, answer)]

    def recall(self, call: Call, now: float, within_s: float) -> Answer | None:
        """The oldest answer that is no older than `within_s` seconds."""
        return next((answer for at, answer in self._kept.get(_asked(call), []) if now - at <= within_s), None)


def _asked(call: Call) -> tuple[str, ...]:
    return call.account, call.region, call.name, repr(sorted(call.params.items()))
