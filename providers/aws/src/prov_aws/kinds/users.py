"""What still uses a part of a network, for whoever waits for its removal.

AWS only says that there is something. Most of it is made by Kubernetes: balancers of services with their interfaces
and security groups, which go when the service does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from prov_aws.client import Aws
from prov_aws.errors import Denied, Missing
from prov_aws.made import Thing, as_filters
from prov_aws.marks import LINEAGE, tags_of

_MOST = 4


def users_of(aws: Aws, filters: Mapping[str, Sequence[str]]) -> str:
    """The interfaces that fit filters, and security groups of others in a network; empty where none can be told."""
    try:
        found = [*_interfaces(aws, filters), *(_groups(aws, filters) if "vpc-id" in filters else ())]
    except (Denied, Missing):
        return ""
    more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return ", ".join(found[:_MOST]) + more


def _interfaces(aws: Aws, filters: Mapping[str, Sequence[str]]) -> Iterator[str]:
    listed = aws.pages("ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=as_filters(filters))
    for face in listed:
        owner = (face.get("Attachment") or {}).get("InstanceId")
        yield _told(face["NetworkInterfaceId"], f"of {owner}" if owner else face.get("Description", ""))


def _groups(aws: Aws, filters: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for group in aws.pages("ec2", "describe_security_groups", "SecurityGroups", Filters=as_filters(filters)):
        if group.get("GroupName") != "default" and not _is_marked(group):
            yield _told(group["GroupId"], group.get("GroupName", ""))


def _is_marked(thing: Thing) -> bool:
    return LINEAGE in tags_of(thing)


def _told(id_: str, about: str) -> str:
    return f"{id_} ({about})" if about else id_
